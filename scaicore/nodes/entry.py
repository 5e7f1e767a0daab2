"""Entries: where a call comes in."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Final, Literal
from zoneinfo import available_timezones

import msgspec

from scaicore.diagnostics import Diagnostic
from scaicore.jsondata import Json
from scaicore.language import cron
from scaicore.language.names import RESERVED, can_bind, shown
from scaicore.nodes.base import NodeConfig, NodeKind, Work, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program

MOST_INPUTS: Final = 50
# No underscore: servers drop headers with one, since it reads like a hyphen in another spelling.
_HEADER: Final = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z-]{1,200}")
# minute, hour, day of month, month, day of week: the least and the greatest number of each
_FIELDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
# A schedule that ever comes does so within some years of any day.
_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CRON_PART: Final = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/([1-9]\d?))?")


class EntryInput(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a call may send beside the message: a name of the scope, told to MCP clients and checked for them."""

    name: Annotated[str, field("Name", "The name under which nodes read it.", "customer")]
    type: Annotated[
        Literal["string", "number", "integer", "boolean", "array", "object"],
        field("Type", "What a call must send; anything else is refused.", "string"),
    ] = "string"
    description: Annotated[str, field("Description", "What it is, for who calls.", "The customer's number")] = ""
    required: Annotated[bool, field("Required", "Calls without it are refused.", example=True)] = False


class EntryApi(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`method` and `path` describe the entry to people; a call reaches it by the Core's name. `inputs` are what it may
    send beside `message`."""

    method: Annotated[str, field("Method", "The method, for people; no call is told by it.", "POST")] = "POST"
    path: Annotated[str, field("Path", "The path, for people; calls come by the model's name.", "/")] = "/"
    inputs: Annotated[
        list[EntryInput],
        msgspec.Meta(max_length=MOST_INPUTS),
        field(
            "Inputs",
            "What a call may send beside its message.",
            [{"name": "customer", "type": "string", "required": True}],
        ),
    ] = []


class WebhookAuth(msgspec.Struct, frozen=True, omit_defaults=True):
    """`header` carries the HMAC-SHA256 of the body, made with the secret that `secret_ref` names."""

    header: Annotated[str, field("Header", "The header that carries the signature.", "X-Signature")]
    secret_ref: Annotated[str, field("Secret", "The tenant's secret that the body is signed with.", "webhook_secret")]


class EntryWebhook(EntryApi, frozen=True, kw_only=True, omit_defaults=True):
    """The same as an API entry, but called by URL with a signature: without `auth` no request reaches it."""

    auth: Annotated[
        WebhookAuth | None,
        field(
            "Auth",
            "How requests are signed; without it none is let in.",
            {"header": "X-Signature", "secret_ref": "webhook_secret"},
        ),
    ] = None


# What becomes of a time at which no server ran: one run as soon as one does, or none.
Missed = Literal["run_once", "skip"]


class EntrySchedule(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`cron` has five fields (minute, hour, day of month, month, day of week); `timezone` is a name such as
    `Europe/Amsterdam`. `missed` says what becomes of times at which no server ran."""

    cron: Annotated[str, field("Cron", "Minute, hour, day of month, month, day of week.", "30 7 * * 1-5")] = "0 * * * *"
    timezone: Annotated[str, field("Timezone", "The zone of these times.", "Europe/Amsterdam")] = "UTC"
    missed: Annotated[
        Missed, field("Missed", "What becomes of times at which no server ran: one run, or none.", "skip")
    ] = "run_once"


def _prepare(_config: NodeConfig, _program: Program) -> Work:
    return _accept


def _accept(node_run: NodeRun) -> Json:
    return node_run.input


def _check_inputs(config: EntryApi, check: NodeCheck) -> Iterator[Diagnostic]:
    names = [given.name for given in config.inputs]
    for index, name in enumerate(names):
        if name in RESERVED or not can_bind(name):
            message = f"`{shown(name)}` cannot name an input; use a plain word that no run uses itself."
            yield check.error("bad_value", message, f"inputs[{index}].name")
        elif name in check.made or name in names[:index]:
            message = f"the input `{shown(name)}` has the name of a node, of a result or of another input; rename it."
            yield check.error("bad_value", message, f"inputs[{index}].name")


def _check_webhook(config: EntryWebhook, check: NodeCheck) -> Iterator[Diagnostic]:
    yield from _check_inputs(config, check)
    if config.auth is None:
        message = "no request reaches a webhook without a signature; set `header` and `secret_ref` in `auth`."
        yield check.warning("webhook_without_auth", message, "auth")
    if config.auth is not None and not _HEADER.fullmatch(config.auth.header):
        message = f"`{config.auth.header[:80]}` cannot name a header; use one such as `X-Signature`."
        yield check.error("bad_value", message, "auth.header")
    if config.auth is not None and not config.auth.secret_ref.strip():
        yield check.error("bad_value", "the signature needs a secret; name one in `secret_ref`.", "auth.secret_ref")


def _check_schedule(config: EntrySchedule, check: NodeCheck) -> Iterator[Diagnostic]:
    fields = config.cron.split()
    if len(fields) != len(_FIELDS) or not all(map(_is_cron, fields, *zip(*_FIELDS, strict=True))):
        message = f"`{config.cron[:80]}` is not a schedule; write five fields such as `0 9 * * 1-5`."
        yield check.error("bad_value", message, "cron")
    elif config.timezone in _zones() and not _comes(config):
        message = f"`{config.cron[:80]}` never comes; write a day that its month has."
        yield check.error("bad_value", message, "cron")
    if config.timezone not in _zones():
        message = f"`{config.timezone[:80]}` is not a time zone; write one such as `Europe/Amsterdam`."
        yield check.error("bad_value", message, "timezone")


def _is_cron(field: str, low: int, high: int) -> bool:
    """Whether it is a list of `*`, `n` or `n-m`, each perhaps with a step, inside the field's range."""
    # The groups are numbers only where the part names some: `*` and `*/5` have none to compare.
    found = [_CRON_PART.fullmatch(part) for part in field.split(",")]
    return all(
        part is not None and all(low <= int(number) <= high for number in part.group(1, 2) if number) for part in found
    )


def _comes(config: EntrySchedule) -> bool:
    try:
        return cron.find_next(config.cron, config.timezone, _ANY_TIME) is not None
    except ValueError:
        return False


# Reading the time zones walks through files, and a compile must not do so for each schedule.
@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) | {"UTC"}


ENTRY_API = NodeKind(
    kind="entry_api",
    label="API entry",
    category="entry",
    summary="Receives a call; its input becomes the scope.",
    config=EntryApi,
    prepare=_prepare,
    check=_check_inputs,
    entered_by="call",
)
ENTRY_WEBHOOK = NodeKind(
    kind="entry_webhook",
    label="Webhook entry",
    category="entry",
    summary="Receives a call at a URL, checked by its signature.",
    config=EntryWebhook,
    prepare=_prepare,
    check=_check_webhook,
    entered_by="webhook",
)
ENTRY_SCHEDULE = NodeKind(
    kind="entry_schedule",
    label="Schedule",
    category="entry",
    summary="Starts the flow at set times, next to an API entry.",
    config=EntrySchedule,
    prepare=_prepare,
    check=_check_schedule,
    entered_by="schedule",
)
