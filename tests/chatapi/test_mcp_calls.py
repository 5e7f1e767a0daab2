"""Calls of tools by MCP that take long, inside the test's own process: signs of life, and callers who leave."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings

from chatapi import runs, usage
from chatapi.mcp import server
from chatapi.models import UsageRecord
from chatapi.responses import Frames, Whole
from publishing.models import Core
from tests.chatapi.test_runs import Scripted, outcomes, script

__all__ = ["script"]

BODY = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "echo-agent", "arguments": {"message": "hello"}},
    }
).encode()
STREAMS = {"accept": "application/json, text/event-stream"}


async def call(key: str, **headers: str) -> Whole | Frames:
    return await server.answer(key, headers, BODY, request_id="req_1")


def text_of(message: dict[str, Any]) -> str:
    [content] = message["result"]["content"]
    return str(content["text"])


@pytest.fixture(autouse=True)
def bounds(inside: None, echo: Core, settings: LazySettings) -> None:
    settings.KEEP_ALIVE_S = 0.01


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Until it is set, no run begins."""
    may_begin = asyncio.Event()
    begin = runs.begin

    async def begin_later(*args: Any, **named: Any) -> Any:
        await may_begin.wait()
        return await begin(*args, **named)

    monkeypatch.setattr(runs, "begin", begin_later)
    return may_begin


async def test_a_call_that_takes_long_is_kept_alive_and_ends_with_its_result(
    anns_key: str, slow: asyncio.Event
) -> None:
    answer = await call(anns_key, **STREAMS)
    assert isinstance(answer, Frames)
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.first == await anext(answer.rest) == b": keep-alive\n\n"
    slow.set()
    events = [event async for event in answer.rest if event != b": keep-alive\n\n"]
    [event] = events
    assert event.startswith(b"event: message\ndata: ") and event.endswith(b"\n\n")
    message = json.loads(event.split(b"data: ")[1])
    assert (message["id"], text_of(message)) == (7, "hello")


async def test_a_client_that_takes_no_stream_waits_for_the_whole_answer(anns_key: str, script: type[Scripted]) -> None:
    driver = script("Hello")
    waiting = asyncio.create_task(call(anns_key, accept="application/json"))
    await driver.has_begun.wait()
    await asyncio.sleep(0.05)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert driver.is_closed
    assert await outcomes() == ["cancelled"]


async def test_a_caller_who_leaves_a_long_call_ends_its_run(anns_key: str, script: type[Scripted]) -> None:
    driver = script("Hello")
    answer = await call(anns_key, **STREAMS)
    assert isinstance(answer, Frames)
    await driver.has_begun.wait()
    await answer.rest.aclose()
    assert driver.is_closed
    assert await outcomes() == ["cancelled"]


async def test_what_goes_wrong_inside_is_told_by_a_fixed_sentence(
    anns_key: str, script: type[Scripted], settings: LazySettings
) -> None:
    settings.KEEP_ALIVE_S = 9
    script(then=ZeroDivisionError("secret detail"))
    answer = await call(anns_key, **STREAMS)
    assert isinstance(answer, Whole)
    message = json.loads(answer.body)
    assert (answer.status, message["result"]["isError"]) == (200, True)
    assert text_of(message) == "Something went wrong on our side. The log has the details."


async def test_a_call_counts_as_a_call_of_the_chat_does(anns_key: str, settings: LazySettings) -> None:
    settings.KEEP_ALIVE_S = 9
    await call(anns_key, **STREAMS)
    await usage.flush()
    row = await sync_to_async(UsageRecord.objects.get)()
    assert (row.model, row.purpose, row.outcome) == ("scaicore/acme/echo-agent", "chat", "ok")
    assert (row.request_id, row.prompt_tokens, row.completion_tokens) == ("req_1", 1, 1)
