"""What a call asks of the database: one prepared statement to decide, one to count, and nothing in between."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from django.conf import settings

from chatapi import completions, invocations, usage
from chatapi.asgi import ChatFastPath
from chatapi.responses import Frames, Whole
from publishing import registry
from publishing.db import pool
from publishing.models import Core
from tests.support.chat_calls import HELLO, hello

BODY = json.dumps(HELLO).encode()
STREAM = json.dumps(hello(stream=True)).encode()
ROOT = Path(__file__).resolve().parents[2]
# The rooms of a chat call, in the order of the way inside. What a run may use of the world outside is made anew for
# each (`clients`), and used by none here: the echo flow calls nobody.
ROOMS = [
    "chatapi.asgi",
    "chatapi.completions",
    "chatapi.admission",
    "chatapi.chat_request",
    "chatapi.call_limits",
    "chatapi.auth",
    "publishing.registry",
    "publishing.db.batching",
    "publishing.db.pool",
    "publishing.db.statements",
    "chatapi.hidden_prompts",
    "chatapi.subflows",
    "chatapi.turns",
    "chatapi.runs",
    "chatapi.chat_response",
]
BEHIND_THE_ANSWER = "chatapi.usage"
# Count the open streams of a key, and bundle their frames; a whole answer does not enter them.
OF_STREAMS = {"chatapi.open_streams", "chatapi.bundles"}
# One function each, that knows nothing of calls.
LEAVES = [
    "chatapi.call_headers",
    "chatapi.capabilities",
    "chatapi.chat_messages",
    "chatapi.caller_watch",
    "identity.ids",
    "identity.keys",
    "chatapi.stopping",
    "publishing.process.metrics",
    "publishing.process.per_loop",
    "publishing.process.tracing",
    "publishing.strict_json",
]


async def answer(authorization: str, body: bytes = BODY) -> Whole | Frames:
    return await completions.answer(authorization, {}, body)


async def test_a_call_decides_by_one_statement_and_counts_by_another(
    inside: None, echo: Core, anns_key: str, statements: list[str]
) -> None:
    await answer(anns_key)
    await usage.flush()
    statements.clear()
    assert (await answer(anns_key))[0] == 200
    await usage.flush()
    assert statements == [registry.DECIDE, usage.INSERT]


async def test_the_decision_is_a_prepared_statement(inside: None, echo: Core, anns_key: str) -> None:
    await answer(anns_key)
    await usage.flush()
    asked = [pool.rows("SELECT statement FROM pg_prepared_statements", []) for _ in range(settings.DATABASE_POOL_SIZE)]
    prepared = [statement for rows in await asyncio.gather(*asked) for [statement] in rows]
    assert any("identity_live_key" in statement and "publishing_access" in statement for statement in prepared)


async def test_calls_that_wait_at_the_same_moment_are_decided_together(
    inside: None, echo: Core, anns_key: str, statements: list[str]
) -> None:
    await answer(anns_key)
    statements.clear()
    answers = await asyncio.gather(*(answer(anns_key) for _ in range(20)))
    assert {found[0] for found in answers} == {200}
    assert statements.count(registry.DECIDE) < 20


async def test_a_stream_holds_no_connection(inside: None, echo: Core, anns_key: str) -> None:
    await answer(anns_key)
    await usage.flush()
    frames = await answer(anns_key, STREAM)
    assert isinstance(frames, Frames)
    assert pool.current().in_use == 0
    assert b"".join([frame async for frame in frames.rest]).endswith(b"data: [DONE]\n\n")


async def test_an_invocation_finds_the_name_of_its_core_by_a_prepared_statement(
    inside: None, echo: Core, anns_key: str, statements: list[str]
) -> None:
    body = json.dumps({"input": {"message": "hello"}}).encode()
    for number in (1, 2):
        statements.clear()
        answer = await invocations.answer(anns_key, echo.pk, {}, body, request_id=f"req_{number}")
        await usage.flush()
    assert (answer.status, statements) == (200, [registry.NAME, registry.DECIDE, usage.INSERT])


async def serve(authorization: str, body: bytes) -> list[dict[str, Any]]:
    """The messages with which the fast path answers one call."""
    request = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return request.pop() if request else await asyncio.Event().wait() or {}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", authorization.encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers}
    await ChatFastPath(send)(scope, receive, send)
    return sent


@contextmanager
def followed() -> Iterator[dict[str, set[str]]]:
    """Which modules of the product entered each of its modules, meanwhile. To be made is not yet to be entered."""
    entered: dict[str, set[str]] = defaultdict(set)

    def note(frame: FrameType, event: str, _: Any) -> None:
        module = _module(frame)
        if event == "call" and module and frame.f_code.co_name != "__init__":
            entered[module] |= {_caller(frame)} - {module, ""}

    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(None)


def _module(frame: FrameType) -> str:
    name = str(frame.f_globals.get("__name__", ""))
    return name if name.startswith(("chatapi.", "publishing.", "identity.", "scaicore.")) else ""


def _caller(frame: FrameType) -> str:
    back = frame.f_back
    while back is not None and not _module(back):
        back = back.f_back
    return _module(back) if back else ""


@pytest.mark.parametrize("body", [BODY, STREAM], ids=["whole", "streamed"])
async def test_a_call_walks_through_few_modules_and_turns_back_in_none(
    inside: None, echo: Core, anns_key: str, body: bytes
) -> None:
    await serve(anns_key, body)
    await usage.flush()
    with followed() as entered:
        sent = await serve(anns_key, body)
        await usage.flush()
    assert sent[0]["status"] == 200
    expected = {*ROOMS, BEHIND_THE_ANSWER, *LEAVES} | (OF_STREAMS if body is STREAM else set())
    assert {name for name in entered if not name.startswith("scaicore.")} == expected
    TopologicalSorter(entered).prepare()  # raises `CycleError` where a module enters one that it was entered from
