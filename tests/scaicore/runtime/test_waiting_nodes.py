"""Nodes that wait for the world: side by side, heard while they speak, and stopped with their run."""

import asyncio
from contextlib import aclosing

import pytest

from scaicore import DRIVERS, Finished, RunFailed, RunTimedOut, TextDelta, Usage, collect, response_text
from tests.support import waiting
from tests.support.documents import answer, chain, edge, entry, events, flow, node, request, run, says


@pytest.fixture(autouse=True)
def log(monkeypatch):
    return waiting.install(monkeypatch)


def waits(node_id, *words, **config):
    return node(node_id, "waits", words=list(words), **config)


def binds(node_id, *words):
    return waits(node_id, *words, result_binding="response")


def deltas(told):
    return [event.text for event in told if isinstance(event, TextDelta)]


def fork(*branches, last=None):
    """The branches side by side, then perhaps one node behind all of them."""
    edges = [edge("entry", branch["id"]) for branch in branches]
    if last is None:
        return flow(entry(), *branches, *edges)
    return flow(entry(), *branches, last, *edges, *(edge(branch["id"], last["id"]) for branch in branches))


async def test_branches_wait_at_the_same_time(log):
    document = fork(*(waits(f"w{i}", "x", seconds=0.01) for i in range(5)), last=says("end", "{{w0}}{{w4}}"))
    assert await answer(document) == "xx"
    assert log == ["began"] * 5 + ["ended"] * 5


async def test_a_join_waits_for_the_slowest_branch():
    document = fork(waits("slow", "s", seconds=0.05), says("quick", "q"), last=says("end", "{{slow}}{{quick}}"))
    assert await answer(document) == "sq"


async def test_the_responding_node_is_heard_word_by_word():
    told = await events(chain(entry(), waits("talk", "one ", "two")))
    assert deltas(told) == ["one ", "two"]
    assert told[-1].output == {"response": "one two"}


@pytest.mark.parametrize(
    "document",
    [
        chain(entry(), waits("talk", "a", "b"), says("reply", "no: {{talk}}")),
        chain(entry(), binds("talk", "a", "b"), waits("more", "c")),
        flow(
            entry(),
            node("if", "logic_decision"),
            binds("yes", "y", "es"),
            binds("no", "n", "o"),
            waits("tail", "t"),
            edge("entry", "if"),
            edge("if", "yes", "message == 'hello'"),
            edge("if", "no", "else"),
            edge("yes", "tail"),
        ),
        chain(entry(), binds("talk", "a", "b"), binds("more", "c")),
        fork(waits("one", "a"), waits("two", "b")),
        fork(waits("one", "a"), waits("two", "b"), last=waits("end", "c", "d")),
        fork(binds("one", "a"), waits("two", "b", "c")),
        flow(
            entry(),
            node("if", "logic_decision"),
            waits("yes", "y", "es"),
            binds("no", "n", "o"),
            edge("entry", "if"),
            edge("if", "yes", "message == 'hello'"),
            edge("if", "no", "else"),
        ),
    ],
    ids=[
        "not last",
        "bound before the last",
        "bound on each way",
        "bound twice",
        "two ends",
        "one end",
        "one of two bound",
        "by decision",
    ],
)
async def test_what_is_heard_is_always_the_beginning_of_the_response(document):
    told = await events(document)
    assert response_text(told[-1].output).startswith("".join(deltas(told)))


async def test_a_bound_reply_is_heard_though_others_come_behind_it():
    assert deltas(await events(chain(entry(), binds("talk", "a", "b"), waits("more", "c")))) == ["a", "b"]


async def test_a_reply_on_each_way_of_a_decision_is_heard():
    document = flow(
        entry(),
        node("if", "logic_decision"),
        waits("yes", "y", "es"),
        waits("no", "n", "o"),
        edge("entry", "if"),
        edge("if", "yes", "message == 'hello'"),
        edge("if", "no", "else"),
    )
    assert deltas(await events(document)) == ["y", "es"]
    assert deltas(await events(document, {"message": "other"})) == ["n", "o"]


async def test_words_that_are_not_the_response_fail_the_run():
    with pytest.raises(RunFailed):
        await run(chain(entry(), waits("talk", "one", result="another")))


async def test_tokens_are_summed_over_the_run():
    finished = await run(fork(waits("one", "a"), waits("two", "b", "c")))
    assert finished.usage == Usage(prompt_tokens=20, completion_tokens=3)


async def test_a_run_that_takes_too_long_ends_at_its_deadline(log):
    with pytest.raises(RunTimedOut, match=r"^The Core did not answer in time\.$"):
        await run(chain(entry(), waits("w", seconds=30)), deadline_s=0.05)
    assert log == ["began", "cancelled"]


async def test_a_node_that_takes_too_long_ends_at_its_own_timeout():
    with pytest.raises(RunTimedOut) as late:
        await run(chain(entry(), waits("w", seconds=30, timeout_s=0.05)))
    assert late.value.node_id == "w"


async def test_a_node_that_breaks_stops_the_others(log):
    with pytest.raises(RunFailed) as failed:
        await run(fork(waits("bad", seconds=0.02, breaks="error"), waits("long", seconds=30)))
    assert failed.value.node_id == "bad"
    assert "secret" not in str(failed.value)
    assert log == ["began", "began", "cancelled"]


async def test_a_node_that_is_cancelled_from_within_fails_the_run():
    with pytest.raises(RunFailed) as failed:
        await run(chain(entry(), waits("bad", breaks="cancel")), deadline_s=5)
    assert failed.value.node_id == "bad"


async def test_closing_the_iterator_stops_every_node(log):
    document = fork(*(waits(f"w{i}", "x" * 5, seconds=30) for i in range(3)), waits("quick", "a"))
    async with aclosing(DRIVERS["flow"].run(request(document))) as told:
        async for event in told:
            if getattr(event, "node_id", "") == "quick" and hasattr(event, "result"):
                break
    assert log.count("cancelled") == 3
    assert len(asyncio.all_tasks()) == 1


async def test_cancelling_the_caller_stops_every_node(log):
    told = DRIVERS["flow"].run(request(fork(waits("a", seconds=30), waits("b", seconds=30))))
    caller = asyncio.create_task(collect(told))
    await asyncio.sleep(0.02)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert log.count("cancelled") == 2
    assert len(asyncio.all_tasks()) == 1


async def test_a_slow_reader_holds_the_writer_back(log):
    document = chain(entry(), waits("talk", *(f"{i} " for i in range(100))))
    told = DRIVERS["flow"].run(request(document))
    async with aclosing(told):
        async for event in told:
            if isinstance(event, TextDelta):
                break
        await asyncio.sleep(0.05)
        assert log == ["began"]
    assert log == ["began", "cancelled"]


async def test_a_flow_that_only_calculates_starts_no_task(monkeypatch):
    monkeypatch.setattr(asyncio, "create_task", lambda *_: pytest.fail("a task"))
    monkeypatch.setattr(asyncio, "Queue", lambda *_: pytest.fail("a queue"))
    assert isinstance((await events(chain(entry(), says("reply", "{{message}}"))))[-1], Finished)
