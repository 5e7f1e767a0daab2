"""How a live Core starts without a chat: its webhook, ready to be called, and the times of its schedules."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from datetime import datetime
from string import Template
from typing import Any, Final

from publishing.models import Core, CoreVersion, Schedule, Secret
from scaicore import Program
from scaicore.errors import ProgramUnreadable
from scaicore.language import cron
from scaicore.webhooks import find_webhook

TIMES_SHOWN: Final = 3

SIGNED: Final = Template("""\
BODY='$body'
SIGNATURE=$$(printf '%s' "$$BODY" | openssl dgst -sha256 -hmac "$$WEBHOOK_SECRET" -hex | sed 's/.* //')
curl $url \\
  -H "Content-Type: application/json" \\
  -H "$header: sha256=$$SIGNATURE" \\
  -d "$$BODY"
""")


@dataclass(frozen=True)
class CallableWebhook:
    """A webhook as somebody calls it. `has_secret`: without it, no call is let in."""

    url: str
    secret_ref: str
    has_secret: bool
    command: str


@dataclass(frozen=True)
class Timetable:
    """A schedule and its next times, the soonest first."""

    cron: str
    timezone: str
    times: list[datetime]


def find_triggers(core: Core | None, *, site: str) -> dict[str, Any]:
    """The webhook and the timetables of what is live; `site` is where this installation is reached."""
    if core is None or core.live is None:
        return {}
    return {"webhook": _webhook(core, core.live, site), "timetables": [_timetable(row) for row in core.schedules.all()]}


def _webhook(core: Core, live: CoreVersion, site: str) -> CallableWebhook | None:
    try:
        webhook = find_webhook(Program.from_dict(live.program))
    except ProgramUnreadable:
        # Made by another server; nobody reaches it until the next deploy.
        return None
    if webhook is None:
        return None
    url = f"{site}/hooks/{core.tenant_id}/{core.slug}"
    entity = {"entity_id": "conversation-1"} if live.instance_mode == "entity" else {}
    body = json.dumps({"message": "hello", **entity})
    command = SIGNED.substitute(body=body, url=shlex.quote(url), header=webhook.header).strip()
    has_secret = Secret.objects.filter(tenant=core.tenant_id, name=webhook.secret_ref).exists()
    return CallableWebhook(url, webhook.secret_ref, has_secret, command)


def _timetable(row: Schedule) -> Timetable:
    times = [row.due_at]
    while len(times) < TIMES_SHOWN and (following := cron.find_next(row.cron, row.timezone, times[-1])):
        times.append(following)
    return Timetable(row.cron, row.timezone, times)
