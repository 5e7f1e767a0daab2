"""What `make run` says: where to look, how to sign in, and a line that works when pasted."""

from __future__ import annotations

import json

from publishing.demo import Demo
from scaigrid_site.conf import Conf


def greeting(conf: Conf, demo: Demo, *, assistant: str | None = None) -> str:
    """The text; it has the key only when that was just made. `assistant` is a second model to call."""
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
    lines += ["", "  Call the published flow:", "", curl(conf, demo, demo.model, "hello"), ""]
    if assistant:
        question = curl(conf, demo, assistant, "Tell me a joke.", stream=True, entity_id="first-talk")
        lines += ["  Talk to a small language model that remembers, streamed:", "", question, ""]
    return "\n".join(lines)


def curl(conf: Conf, demo: Demo, model: str, text: str, **fields: object) -> str:
    """A command that calls `model`."""
    body = {"model": model, **fields, "messages": [{"role": "user", "content": text}]}
    return (
        f"curl {conf.public_url}/v1/chat/completions"
        f' -H "Authorization: Bearer {demo.key or "$SCAIGRID_TOKEN"}"'
        f' -H "Content-Type: application/json"'
        f" -d '{json.dumps(body)}'"
    )
