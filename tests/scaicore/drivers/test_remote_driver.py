"""The driver `remote`: what the other side's answer means, by a client in memory."""

from contextlib import aclosing

import pytest

from scaicore import (
    DRIVERS,
    Finished,
    Origin,
    Program,
    Remote,
    RunFailed,
    RunRequest,
    RunTimedOut,
    Services,
    TextDelta,
    Usage,
    link,
)
from scaicore.services import RemoteEnd, RemoteText, ServiceFailed


class Far:
    """Gives `parts`; an exception among them is raised. `calls` keeps the calls."""

    def __init__(self, *parts):
        self.parts = parts
        self.calls = []
        self.closed = 0

    async def stream(self, call):
        self.calls.append(call)
        try:
            for part in self.parts:
                if isinstance(part, Exception):
                    raise part
                yield RemoteText(part) if isinstance(part, str) else part
        finally:
            self.closed += 1


def end(output=None, state=None, tokens=(None, None)):
    return RemoteEnd(output or {}, state, *tokens)


def request(far, mode="entity", **rest):
    program = Program.elsewhere("Far", Remote("https://far.test/", 5.0), instance_mode=mode)
    return RunRequest(link(program), {"message": "hi"}, "c-1", services=Services(remotes=far), **rest)


async def run(far, **rest):
    return [event async for event in DRIVERS["remote"].run(request(far, **rest))]


async def test_texts_are_passed_on_and_are_the_response_where_the_end_names_none():
    *texts, last = await run(Far("Hel", "lo", end(state={"n": 1}, tokens=(3, None))), state={"n": 0})
    assert texts == [TextDelta("Hel"), TextDelta("lo")]
    assert last == Finished({"response": "Hello"}, Usage(3, 0), {"n": 1})


async def test_a_response_goes_on_where_the_texts_ended():
    assert (await run(Far("Hel", end({"response": "Hello"}))))[-1].output == {"response": "Hello"}


@pytest.mark.parametrize("mode", ["entity", "singleton", "stateless"])
async def test_the_memory_stays_as_it_was_unless_told_and_is_empty_without_one(mode):
    [last] = await run(Far(end({"response": "x"})), mode=mode, state={} if mode == "stateless" else {"n": 1})
    assert last.state == ({} if mode == "stateless" else {"n": 1})


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([], "service_upstream_failed"),
        ([end()], "service_upstream_failed"),
        ([end({"text": "x"})], "service_upstream_failed"),
        (["Hello", end({"response": "Good bye"})], "service_upstream_failed"),
        ([end({"response": "a\0b"})], "not_plain_data"),
        ([end({"response": "x"}, {"n": "a\0b"})], "not_plain_data"),
        ([end({"response": "x"}, {"text": "x" * 1_048_576})], "state_too_large"),
        ([ServiceFailed("rejected")], "service_rejected"),
        (["Hello", ServiceFailed("unreachable")], "service_unreachable"),
    ],
)
async def test_what_is_no_answer_fails_the_run(parts, reason):
    with pytest.raises(RunFailed) as failed:
        await run(Far(*parts))
    assert failed.value.reason == reason


async def test_too_late_is_too_late():
    with pytest.raises(RunTimedOut):
        await run(Far(ServiceFailed("timed_out")))


async def test_the_call_holds_what_the_other_side_needs_and_no_more_time_than_there_is():
    far = Far(end({"response": "x"}))
    await run(far, state={"n": 1}, deadline_s=3.0, now=7.0, origin=Origin("core_1", 2, "req_1"))
    [call] = far.calls
    assert (call.core_id, call.url, call.at, call.timeout_s) == ("core_1", "https://far.test/", 7.0, 3.0)
    assert call.body == {
        "input": {"message": "hi"},
        "entity_id": "c-1",
        "state": {"n": 1},
        "request": {"core": "core_1", "version": 2, "request_id": "req_1"},
    }


async def test_leaving_early_hangs_up():
    far = Far("Hel", "lo", end())
    async with aclosing(DRIVERS["remote"].run(request(far))) as told:
        assert await anext(told) == TextDelta("Hel")
    assert far.closed == 1


async def test_without_a_way_out_the_run_fails():
    with pytest.raises(RunFailed):
        await run(None)
