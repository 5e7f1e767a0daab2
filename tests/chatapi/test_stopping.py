"""A call that has run out of time as its server ends is told so; whoever leaves by themselves is told nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async

import scaicore
from chatapi import completions, invocations, stopping, usage
from chatapi.models import UsageRecord
from chatapi.responses import Frames, Whole
from publishing.models import Core
from tests.support.chat_calls import HELLO, hello

WHOLE = json.dumps(HELLO).encode()
STREAM = json.dumps(hello(stream=True)).encode()


class Endless:
    """A driver whose runs say one word and never end."""

    def calculate(self, request: scaicore.RunRequest) -> None:
        """It waits."""

    async def run(self, request: scaicore.RunRequest) -> AsyncIterator[scaicore.Event]:
        """The word `one`."""
        yield scaicore.TextDelta("one")
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def endless(inside: None, echo: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scaicore.DRIVERS, "flow", Endless())
    monkeypatch.setattr(stopping, "_has_begun", False)


async def outcomes() -> list[str]:
    await usage.flush()
    return await sync_to_async(lambda: list(UsageRecord.objects.values_list("outcome", flat=True)))()


async def ended(call: asyncio.Task[Whole]) -> Whole:
    await asyncio.sleep(0.2)
    call.cancel()
    return await call


async def test_a_whole_answer_that_ran_out_of_time_is_503(anns_key: str) -> None:
    stopping.begin()
    call = asyncio.create_task(completions.answer(anns_key, {}, WHOLE))
    answer = await ended(call)  # type: ignore[arg-type]
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (503, "server_stopping")
    assert answer.headers["retry-after"] == "1"
    assert await outcomes() == ["cancelled"]


async def test_an_invocation_that_ran_out_of_time_is_503_in_its_own_envelope(anns_key: str, echo: Core) -> None:
    stopping.begin()
    body = json.dumps({"input": {"message": "hello"}}).encode()
    answer = await ended(asyncio.create_task(invocations.answer(anns_key, echo.pk, {}, body, request_id="req_1")))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (503, "SERVER_STOPPING")


async def test_a_stream_that_ran_out_of_time_ends_with_an_error(anns_key: str) -> None:
    stopping.begin()
    frames = await completions.answer(anns_key, {}, STREAM)
    assert isinstance(frames, Frames)
    received = [frames.first]

    async def read() -> None:
        async for frame in frames.rest:
            received.append(frame)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.2)
    reading.cancel()
    await reading
    said = b"".join(received)
    assert b'"content":"one"' in said
    assert b'"code":"server_stopping"' in said
    assert said.endswith(b"data: [DONE]\n\n")
    assert await outcomes() == ["cancelled"]


async def test_whoever_leaves_while_the_server_goes_on_is_cancelled(anns_key: str) -> None:
    call = asyncio.create_task(completions.answer(anns_key, {}, WHOLE))
    with pytest.raises(asyncio.CancelledError):
        await ended(call)  # type: ignore[arg-type]
    assert await outcomes() == ["cancelled"]
