"""The bounds of a run: it ends, whatever the flow does."""

import asyncio

import pytest

from scaicore import RunFailed, RunTimedOut, Services, Usage
from scaicore.runtime.budget import RequestBudget
from tests.support import waiting
from tests.support.documents import chain, edge, entry, flow, node, run, says
from tests.support.services import Cores
from tests.support.timing import within


async def failure(document, given=None, **rest):
    with pytest.raises(RunFailed) as failed:
        await run(document, given, **rest)
    return failed.value.reason


async def test_a_run_takes_no_more_steps_than_it_may(monkeypatch):
    monkeypatch.setattr("scaicore.runtime.budget.MAX_STEPS", 3)
    assert (await run(chain(entry(), says("a", ""), says("b", "")))).output == {"response": ""}
    assert await failure(chain(entry(), says("a", ""), says("b", ""), says("c", ""))) == "too_many_steps"


async def test_a_run_holds_no_more_data_than_it_may(monkeypatch):
    monkeypatch.setattr("scaicore.runtime.budget.MAX_HELD", 1000)
    document = chain(entry(), says("a", "{{message}}"), says("b", "{{message}}"))
    assert await failure(document, {"message": "x" * 600}) == "too_much_data"


async def test_what_the_caller_sent_is_not_counted(monkeypatch):
    monkeypatch.setattr("scaicore.runtime.budget.MAX_HELD", 1000)
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


async def test_a_template_bomb_ends_in_bounded_time():
    doubling = [says(f"n{i}", f"{{{{n{i - 1}}}}}" * 100 if i else "{{message}}") for i in range(50)]
    with within(10):
        assert await failure(chain(entry(), *doubling)) == "too_much_data"


async def test_a_condition_bomb_ends_in_bounded_time():
    bomb = "messages.all(a, messages.all(b, messages.all(c, messages.all(d, a + b + c + d >= 0))))"
    document = flow(entry(), says("a", ""), edge("entry", "a", bomb))
    with within(10):
        assert await failure(document, {"message": "m", "messages": list(range(5_000))}) == "expression_too_costly"


async def test_a_loop_of_costly_conditions_lets_others_have_their_turn():
    turns = []

    async def others():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    costly = "messages.map(a, a + 1).size() > 0"
    document = flow(
        entry(),
        node("loop", "logic_loop", style="while", condition=costly, max_iterations=60),
        says("a", ""),
        edge("entry", "loop"),
        edge("loop.body", "a"),
    )
    beside = asyncio.create_task(others())
    with within(20):
        await run(document, {"message": "m", "messages": list(range(500))})
    beside.cancel()
    assert len(turns) >= 2


async def test_a_crowd_of_branches_ends_at_the_deadline(monkeypatch):
    waiting.install(monkeypatch)
    nodes = [node(f"w{i}", "waits", seconds=60) for i in range(2_000)]
    document = flow(entry(), *nodes, *(edge("entry", f"w{i}") for i in range(2_000)))
    with within(20), pytest.raises(RunTimedOut):
        await run(document, deadline_s=0.2)
    assert len(asyncio.all_tasks()) == 1


async def test_tokens_are_counted_where_a_model_reports_them_and_not_again_above(monkeypatch):
    waiting.install(monkeypatch)
    speaks = chain(entry(), node("a", "waits"), node("b", "waits"))
    assert await run(speaks, services=Services(budget=RequestBudget(max_tokens=20)))
    assert await failure(speaks, services=Services(budget=RequestBudget(max_tokens=19))) == "too_many_tokens"
    calls = chain(entry(), node("call", "subflow_call", target="core://acme/echo-agent"))
    counted_below = Services(cores=Cores({"response": "there"}), budget=RequestBudget(max_tokens=0))
    assert (await run(calls, services=counted_below)).usage == Usage(5, 1)


async def test_a_bound_once_crossed_stays_crossed():
    budget = RequestBudget(max_runs=1)
    with pytest.raises(RunFailed):
        budget.start_run()
    assert await failure(chain(entry(), says("a", "")), services=Services(budget=budget)) == "too_many_runs"
