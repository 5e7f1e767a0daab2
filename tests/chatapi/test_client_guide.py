"""docs/clients.md: what it says of OpenAI's SDK for Python runs as it stands, from its first line to its last."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from django.utils import timezone

from identity import actors
from identity.models import Tenant, User
from publishing import actions
from publishing.models import Core
from tests.support.serving import Server

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text()


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_guide_for_the_sdk_runs_from_its_first_line(
    transactional_db: None, lean_server: Server, acme: Tenant, ann: User, echo: Core, key_of: Callable[[User], str]
) -> None:
    document = json.loads((ROOT / "docs" / "examples" / "counter.json").read_text())
    actor, at = actors.operator("test"), timezone.now()
    document["config"] |= {"publish_as_model": True, "model_visibility_group_ids": [], "slug": "counter"}
    flow = actions.create_flow(tenant=acme, name="Counter", content=document, actor=actor, at=at)
    actions.deploy(flow, actor=actor, at=at)
    blocks = re.findall(r"```python\n(.*?)```", section("OpenAI's SDK for Python"), re.DOTALL)
    program = "\nprint()\n".join(blocks).replace("http://127.0.0.1:8000", lean_server.url)
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"SCAIGRID_TOKEN": key_of(ann)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    whole, streamed, response, first, second = filter(None, ran.stdout.splitlines())
    assert (whole, streamed, response) == ("hello", "hello", "again")
    assert first != second and "1" in first and "2" in second
