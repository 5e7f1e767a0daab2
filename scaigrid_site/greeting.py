"""What `make run` says: where to look, how to sign in, and a line that works when pasted."""

from __future__ import annotations

import json

from publishing.demo import Demo
from scaigrid_site.conf import Conf


def greeting(conf: Conf, demo: Demo) -> str:
    """The text; the key stands in it only when it was made just now."""
    lines = [
        "",
        "  ScaiGrid Publish",
        "",
        f"  Open     {conf.public_url}",
        f"  Sign in  {demo.email}{f' with the password {demo.password}' if demo.password else ''}",
    ]
    if demo.key:
        lines += [f"  API key  {demo.key}   (shown this once)"]
    else:
        lines += [
            "  API key  was shown at the first start. Make another one:",
            f"           .venv/bin/python manage.py create_api_key --user {demo.caller} --name NAME",
        ]
    return "\n".join([*lines, "", "  Call the published flow:", "", curl(conf, demo), ""])


def curl(conf: Conf, demo: Demo) -> str:
    """A command that calls the demo's model."""
    body = {"model": demo.model, "messages": [{"role": "user", "content": "hello"}]}
    return (
        f"curl {conf.public_url}/v1/chat/completions"
        f' -H "Authorization: Bearer {demo.key or "$SCAIGRID_TOKEN"}"'
        f' -H "Content-Type: application/json"'
        f" -d '{json.dumps(body)}'"
    )
