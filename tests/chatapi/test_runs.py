"""Runs that go wrong: what the caller is told, and that they are counted all the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings

import scaicore
from chatapi import chat_request, completions, usage
from chatapi.chat_request import ChatRequest
from chatapi.models import UsageRecord
from chatapi.responses import Frames, Whole
from identity.models import User
from publishing.models import Core
from tests.chatapi.test_memory import NAME, counter
from tests.support.chat_calls import hello

WHOLE = json.dumps(hello()).encode()
STREAM = json.dumps(hello(stream=True)).encode()


class Scripted:
    """A driver that says `texts`, then fails or waits for ever."""

    def __init__(self, *texts: str, then: Exception | None = None) -> None:
        self._texts = texts
        self._then = then
        self.has_begun = asyncio.Event()
        self.is_closed = False

    def calculate(self, request: scaicore.RunRequest) -> None:
        """It waits."""

    async def run(self, request: scaicore.RunRequest) -> AsyncIterator[scaicore.Event]:
        self.has_begun.set()
        try:
            for text in self._texts:
                yield scaicore.TextDelta(text)
            if self._then:
                raise self._then
            await asyncio.Event().wait()
        finally:
            self.is_closed = True


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    class Installed(Scripted):
        def __init__(self, *texts: str, then: Exception | None = None) -> None:
            super().__init__(*texts, then=then)
            monkeypatch.setitem(scaicore.DRIVERS, "flow", self)

    return Installed


async def outcomes() -> list[str]:
    await usage.flush()
    return await sync_to_async(lambda: list(UsageRecord.objects.values_list("outcome", flat=True)))()


@pytest.mark.parametrize("body", [WHOLE, STREAM], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("error", "status", "code", "outcome"),
    [
        (scaicore.RunFailed("no_branch"), 502, "core_error", "failed"),
        (scaicore.RunTimedOut(), 504, "core_timeout", "timed_out"),
        (ZeroDivisionError("secret detail"), 500, "internal_error", "failed"),
    ],
)
async def test_a_core_that_fails_before_its_first_word_is_an_http_error(
    inside: None,
    echo: Core,
    anns_key: str,
    script: type[Scripted],
    body: bytes,
    error: Exception,
    status: int,
    code: str,
    outcome: str,
) -> None:
    script(then=error)
    answer = await completions.answer(anns_key, {}, body)
    assert isinstance(answer, Whole)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)
    assert b"secret" not in answer.body
    assert await outcomes() == [outcome]


async def test_a_core_that_fails_in_mid_stream_ends_it_with_an_error_and_no_finish_reason(
    inside: None, echo: Core, anns_key: str, script: type[Scripted]
) -> None:
    script("Hel", "lo", then=scaicore.RunFailed("no_branch"))
    answer = await completions.answer(anns_key, {}, STREAM)
    assert isinstance(answer, Frames)
    text = (answer.first + b"".join([frame async for frame in answer.rest])).decode()
    *_, error, done = [line[6:] for line in text.split("\n\n") if line]
    assert json.loads(error)["error"]["code"] == "core_error"
    assert (done, '"finish_reason":"stop"' in text, "secret" in text) == ("[DONE]", False, False)
    assert await outcomes() == ["failed"]


async def test_a_caller_who_leaves_ends_the_run_and_is_counted(
    inside: None, echo: Core, anns_key: str, script: type[Scripted]
) -> None:
    driver = script()
    call = asyncio.create_task(completions.answer(anns_key, {}, WHOLE))
    await driver.has_begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert driver.is_closed
    assert await outcomes() == ["cancelled"]


async def test_a_caller_who_leaves_a_stream_ends_the_run_and_is_counted(
    inside: None, echo: Core, anns_key: str, script: type[Scripted]
) -> None:
    driver = script("Hello")
    answer = await completions.answer(anns_key, {}, STREAM)
    assert isinstance(answer, Frames)
    await anext(answer.rest)
    await answer.rest.aclose()
    assert driver.is_closed
    assert await outcomes() == ["cancelled"]


async def test_a_silent_stream_is_kept_alive_by_comments(
    inside: None, echo: Core, anns_key: str, script: type[Scripted], settings: LazySettings
) -> None:
    settings.KEEP_ALIVE_S = 0.01
    script("Hello")
    answer = await completions.answer(anns_key, {}, STREAM)
    assert isinstance(answer, Frames)
    seen = [await anext(answer.rest) for _ in range(3)]
    assert seen[-1] == b": keep-alive\n\n"
    await answer.rest.aclose()


@pytest.fixture
def counting(root: User) -> ChatRequest:
    """A call of a Core that counts the turns of an entity."""
    counter(root)
    return chat_request.parse(json.dumps(hello(model=NAME, entity_id="c-1")).encode(), {})


async def test_a_run_that_is_closed_unread_gives_its_memory_back(
    inside: None, counting: ChatRequest, anns_key: str
) -> None:
    run = await completions.begin(anns_key, counting, "req_1")
    await run.aclose()
    after = await completions.begin(anns_key, counting, "req_2")
    assert (await after.finish()).reply.content == "1: hello"
    assert await outcomes() == ["ok"]


async def test_a_run_finishes_whether_its_text_was_read_or_not(
    inside: None, counting: ChatRequest, anns_key: str
) -> None:
    read = await completions.begin(anns_key, counting, "req_1")
    text = "".join([piece.text async for piece in read.text()])
    unread = await completions.begin(anns_key, counting, "req_2")
    assert [text, (await read.finish()).reply.content, (await unread.finish()).reply.content] == [
        "1: hello",
        "1: hello",
        "2: hello",
    ]
    assert await outcomes() == ["ok", "ok"]


async def test_a_call_that_was_answered_before_is_replayed_and_not_counted(
    inside: None, counting: ChatRequest, anns_key: str
) -> None:
    once = msgspec.structs.replace(counting, idempotency_key="k-1", stop=("hello",))
    results = [await (await completions.begin(anns_key, once, f"req_{number}")).finish() for number in (1, 2)]
    assert [(result.reply.content, result.output["response"]) for result in results] == [("1: ", "1: hello")] * 2
    assert await outcomes() == ["ok"]
