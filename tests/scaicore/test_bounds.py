"""The bounds of a run: it ends, whatever the flow does."""

import asyncio

import pytest

from scaicore import RunFailed, RunTimedOut
from tests.scaicore.drawing import chain, entry, run, says


async def failure(document, given=None, **rest):
    with pytest.raises(RunFailed) as failed:
        await run(document, given, **rest)
    return failed.value.reason


async def test_a_run_takes_no_more_steps_than_it_may(monkeypatch):
    monkeypatch.setattr("scaicore.run.MAX_STEPS", 3)
    assert (await run(chain(entry(), says("a", ""), says("b", "")))).output == {"response": ""}
    assert await failure(chain(entry(), says("a", ""), says("b", ""), says("c", ""))) == "too_many_steps"


async def test_a_run_holds_no_more_data_than_it_may(monkeypatch):
    monkeypatch.setattr("scaicore.run.MAX_HELD", 1000)
    document = chain(entry(), says("a", "{{message}}"), says("b", "{{message}}"))
    assert await failure(document, {"message": "x" * 600}) == "too_much_data"


async def test_what_the_caller_sent_is_not_counted(monkeypatch):
    monkeypatch.setattr("scaicore.run.MAX_HELD", 1000)
    assert await run(chain(entry(), says("a", "ok")), {"message": "x" * 2000})


async def test_a_run_that_only_calculates_ends_at_its_deadline_too():
    with pytest.raises(RunTimedOut):
        await run(chain(entry(), *(says(f"n{i}", "{{message}}") for i in range(4000))), deadline_s=0.001)


async def test_a_long_calculation_lets_others_have_their_turn():
    turns = []

    async def others():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await run(chain(entry(), *(says(f"n{i}", "") for i in range(1000))))
    beside.cancel()
    assert len(turns) > 10
