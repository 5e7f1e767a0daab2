"""How many runs there are at once: of a process, of a tenant, of a key; and who waits in line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from django.conf import LazySettings

import scaicore
from chatapi import admission, completions, invocations
from chatapi.responses import Frames, Whole
from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import HELLO, hello

WHOLE = json.dumps(HELLO).encode()
STREAM = json.dumps(hello(stream=True)).encode()


class Held:
    """A driver whose runs end when they are let go."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.go = asyncio.Event()

    def calculate(self, request: scaicore.RunRequest) -> None:
        """It waits."""

    async def run(self, request: scaicore.RunRequest) -> AsyncIterator[scaicore.Event]:
        """The text `done`, once it may be said."""
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go.wait()
            yield scaicore.Finished({"response": "done"}, None, {})
        finally:
            self.running -= 1


@pytest.fixture
def held(inside: None, echo: Core, monkeypatch: pytest.MonkeyPatch) -> Held:
    driver = Held()
    monkeypatch.setitem(scaicore.DRIVERS, "flow", driver)
    return driver


@pytest.fixture(autouse=True)
def bounds(settings: LazySettings) -> LazySettings:
    settings.MAX_RUNS, settings.MAX_QUEUED, settings.QUEUE_S = 2, 3, 20.0
    return settings


def begun(key: str, count: int, body: bytes = WHOLE) -> list[asyncio.Task[Whole | Frames]]:
    return [asyncio.create_task(completions.answer(key, {}, body)) for _ in range(count)]


async def settled(held: Held, running: int) -> None:
    """Wait until so many runs go on, and no more."""
    async with asyncio.timeout(20):
        while held.running < running:  # noqa: ASYNC110  the driver counts, and tells nobody
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert held.running == running


def code(answer: Whole | Frames) -> str:
    assert isinstance(answer, Whole)
    return str(json.loads(answer.body)["error"]["code"])


async def test_calls_beyond_the_process_wait_in_line_and_beyond_that_are_refused_at_once(
    held: Held, anns_key: str
) -> None:
    tasks = begun(anns_key, 5)
    await settled(held, 2)
    assert admission.figures() == (2, 3)
    refused = await completions.answer(anns_key, {}, WHOLE)
    assert isinstance(refused, Whole)
    assert (refused.status, code(refused), refused.headers["retry-after"]) == (503, "overloaded", "1")
    held.go.set()
    answers = await asyncio.gather(*tasks)
    assert [answer.status for answer in answers if isinstance(answer, Whole)] == [200] * 5
    assert held.most == 2
    assert admission.figures() == (0, 0)


async def test_whoever_waits_too_long_is_refused_and_holds_no_place(
    held: Held, anns_key: str, bounds: LazySettings
) -> None:
    bounds.QUEUE_S = 0.1
    tasks = begun(anns_key, 2)
    await settled(held, 2)
    assert code(await completions.answer(anns_key, {}, WHOLE)) == "overloaded"
    assert admission.figures() == (2, 0)
    held.go.set()
    await asyncio.gather(*tasks)
    assert admission.figures() == (0, 0)
    assert status_of(await completions.answer(anns_key, {}, WHOLE)) == 200


def status_of(answer: Whole | Frames) -> int:
    assert isinstance(answer, Whole)
    return answer.status


async def test_whoever_leaves_the_line_makes_room_in_it(held: Held, anns_key: str) -> None:
    tasks = begun(anns_key, 5)
    await settled(held, 2)
    tasks[3].cancel()
    await asyncio.sleep(0.05)
    assert admission.figures() == (2, 2)
    [last] = begun(anns_key, 1)
    await asyncio.sleep(0.05)
    assert admission.figures() == (2, 3)
    held.go.set()
    answers = await asyncio.gather(*tasks, last, return_exceptions=True)
    assert sum(isinstance(answer, Whole) for answer in answers) == 5
    assert admission.figures() == (0, 0)


async def test_whoever_leaves_with_a_place_in_hand_gives_it_on(held: Held, anns_key: str) -> None:
    first = begun(anns_key, 2)
    await settled(held, 2)
    second, third = begun(anns_key, 2)
    await asyncio.sleep(0.05)
    first[0].cancel()
    await asyncio.sleep(0)  # its place is given to the second, who leaves before it can run
    second.cancel()
    await settled(held, 2)
    held.go.set()
    assert status_of(await third) == 200
    await asyncio.gather(*first, second, return_exceptions=True)
    assert admission.figures() == (0, 0)


async def test_a_stream_holds_its_place_until_it_ends(held: Held, anns_key: str, bounds: LazySettings) -> None:
    bounds.MAX_QUEUED = 0
    held.go.set()
    frames = await completions.answer(anns_key, {}, STREAM)
    assert isinstance(frames, Frames)
    assert admission.figures() == (1, 0)
    await frames.rest.aclose()
    assert admission.figures() == (0, 0)


@pytest.mark.parametrize("bound", ["MAX_RUNS_PER_KEY", "MAX_RUNS_PER_TENANT"])
async def test_a_key_or_tenant_with_too_many_runs_is_refused_at_once(
    held: Held, anns_key: str, bounds: LazySettings, bound: str, echo: Core
) -> None:
    bounds.MAX_RUNS, bounds.MAX_RUNS_PER_KEY, bounds.MAX_RUNS_PER_TENANT = 10, 10, 10
    setattr(bounds, bound, 2)
    tasks = begun(anns_key, 2)
    await settled(held, 2)
    refused = await completions.answer(anns_key, {}, WHOLE)
    assert isinstance(refused, Whole)
    assert (refused.status, code(refused), refused.headers["retry-after"]) == (429, "rate_limit_exceeded", "1")
    body = json.dumps({"input": {"message": "x"}}).encode()
    invoked = await invocations.answer(anns_key, echo.pk, {}, body, request_id="req_1")
    assert invoked.status == 429
    assert admission.figures() == (2, 0)
    held.go.set()
    await asyncio.gather(*tasks)
    assert admission.figures() == (0, 0)


async def test_another_key_of_the_tenant_is_let_in(
    held: Held, anns_key: str, bounds: LazySettings, other_key: str
) -> None:
    bounds.MAX_RUNS, bounds.MAX_RUNS_PER_KEY = 10, 1
    tasks = begun(anns_key, 1) + begun(other_key, 1)
    await settled(held, 2)
    held.go.set()
    assert [status_of(answer) for answer in await asyncio.gather(*tasks)] == [200, 200]


@pytest.fixture
def other_key(bo: User, key_of: Callable[[User], str]) -> str:
    return f"Bearer {key_of(bo)}"


@pytest.mark.parametrize(
    "body", [b"{", b'{"model": "scaicore/acme/none", "messages": [{"role": "user", "content": "x"}]}']
)
async def test_a_refused_call_leaves_its_place(inside: None, anns_key: str, body: bytes) -> None:
    assert status_of(await completions.answer(anns_key, {}, body)) in (400, 404)
    assert admission.figures() == (0, 0)
