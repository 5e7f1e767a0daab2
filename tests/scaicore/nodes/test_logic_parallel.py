"""The parallel: branches at once, not more than allowed, and joins behind them."""

from itertools import pairwise

import pytest

from scaicore import TextDelta
from tests.scaicore.runtime.test_engine import failure, ran
from tests.support import waiting
from tests.support.documents import answer, codes, edge, entry, events, flow, node, run, says
from tests.support.services import http


@pytest.fixture(autouse=True)
def log(monkeypatch):
    return waiting.install(monkeypatch)


def parallel(node_id="all", **config):
    return node(node_id, "logic_parallel", **config)


def fan(*branches, last="{{all}}", **config):
    """Each branch a chain of nodes; one node behind all of them."""
    parts = [part for branch in branches for part in branch]
    edges = [edge("all", branch[0]["id"]) for branch in branches]
    edges += [edge(a["id"], b["id"]) for branch in branches for a, b in pairwise(branch)]
    edges += [edge(branch[-1]["id"], "end") for branch in branches]
    return flow(entry(), parallel(**config), *parts, says("end", last), edge("entry", "all"), *edges)


async def test_the_result_holds_each_branchs_last_result_by_its_first_node():
    document = fan([says("a", "A"), says("a2", "{{a}}!")], [says("b", "B")], last="{{all}} {{a}}{{a2}}{{b}}")
    told = await events(document)
    assert told[-1].output == {"response": '{"a":"A!","b":"B"} AA!B'}
    assert ran(told) == ["entry", "a", "b", "a2", "all", "end"]


async def test_branches_wait_at_the_same_time(log):
    document = fan(*([node(f"w{i}", "waits", seconds=0.03, result=i)] for i in range(4)))
    assert await answer(document, deadline_s=0.1) == '{"w0":0,"w1":1,"w2":2,"w3":3}'
    assert log[:4] == ["began"] * 4


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_no_more_branches_run_at_once_than_may(most):
    fake, services = http(wait_s=0.01)
    calls = [[node(f"h{i}", "tool_http", url="https://api.test/")] for i in range(5)]
    await run(fan(*calls, max_concurrency=most), services=services)
    assert fake.most_at_once == most
    assert len(fake.calls) == 5


async def test_what_is_behind_the_branches_begins_when_all_have_ended():
    document = flow(
        entry(),
        parallel(),
        says("a", "A"),
        node("b", "waits", seconds=0.01, result="B"),
        node("c", "waits", seconds=0.03),
        says("ab", "{{all.a}}{{all.b}}"),
        says("end", "{{ab}}"),
        edge("entry", "all"),
        edge("all", "a"),
        edge("all", "b"),
        edge("all", "c"),
        edge("a", "ab"),
        edge("b", "ab"),
        edge("ab", "end"),
        edge("c", "end"),
    )
    told = await events(document)
    assert ran(told) == ["entry", "a", "b", "c", "all", "ab", "end"]
    assert told[-1].output == {"response": "AB"}


async def test_the_port_done_goes_on_behind_branches_that_do_not_join():
    document = flow(
        entry(),
        parallel(),
        says("a", "A"),
        says("b", "B"),
        says("end", "{{all}}"),
        edge("entry", "all"),
        edge("all", "a"),
        edge("all", "b"),
        edge("all.done", "end"),
    )
    assert await answer(document) == '{"a":"A","b":"B"}'


async def test_branches_that_end_answer_with_the_object():
    document = flow(entry(), parallel(), says("a", "A"), edge("entry", "all"), edge("all", "a"))
    assert await answer(document) == {"a": "A"}


async def test_a_branch_may_decide():
    document = fan([node("if", "logic_decision")], [says("b", "B")])
    document["edges"] = [part for part in document["edges"] if part["id"] != "if-end"]
    document["nodes"] += [says("x", "X"), says("y", "Y")]
    document["edges"] += [
        edge("if", "x", "message == 'x'"),
        edge("if", "y", "else"),
        edge("x", "end"),
        edge("y", "end"),
    ]
    assert await answer(document) == '{"if":"Y","b":"B"}'


async def test_parallels_and_loops_nest():
    document = flow(
        entry(),
        node("loop", "logic_loop", items="[1, 2]"),
        parallel(),
        says("a", "a{{item}}"),
        says("b", "b{{item}}"),
        says("join", "{{all.a}}{{all.b}}"),
        parallel("inner"),
        says("c", "c"),
        says("d", "d"),
        says("end", "{{loop}}"),
        edge("entry", "loop"),
        edge("loop.body", "all"),
        edge("all", "a"),
        edge("all", "inner"),
        edge("inner", "c"),
        edge("inner", "d"),
        edge("a", "b"),
        edge("c", "join"),
        edge("d", "join"),
        edge("b", "join"),
        edge("loop.done", "end"),
    )
    document["nodes"][5]["config"]["template"] = "{{all.a}}{{inner}}"
    assert await answer(document) == '["b1{\\"c\\":\\"c\\",\\"d\\":\\"d\\"}","b2{\\"c\\":\\"c\\",\\"d\\":\\"d\\"}"]'


async def test_a_loop_in_a_branch_runs_beside_the_others():
    document = fan([node("loop", "logic_loop", items="[1, 2]")], [says("b", "B")])
    document["nodes"].append(says("one", "{{item}}"))
    document["edges"] = [part for part in document["edges"] if part["id"] != "loop-end"]
    document["edges"] += [edge("loop.body", "one"), edge("loop.done", "end")]
    assert await answer(document) == '{"loop":["1","2"],"b":"B"}'


async def test_a_parallel_that_is_never_reached_holds_up_nothing():
    document = flow(
        entry(),
        node("if", "logic_decision"),
        parallel(),
        says("a", ""),
        says("b", ""),
        says("o", "o"),
        says("end", "e{{o}}"),
        edge("entry", "if"),
        edge("if", "all", "false"),
        edge("if", "o", "else"),
        edge("all", "a"),
        edge("all", "b"),
        edge("a", "end"),
        edge("b", "end"),
        edge("o", "end"),
    )
    assert await answer(document) == "eo"


async def test_a_branch_that_breaks_stops_the_others(log):
    document = fan([node("bad", "waits", seconds=0.01, breaks="error")], [node("long", "waits", seconds=30)])
    assert await failure(document) == ("node_failed", "bad")
    assert log[-1] == "cancelled"


@pytest.mark.parametrize("binding", [{}, {"result_binding": "response"}])
async def test_what_is_heard_from_a_branch_is_the_response(binding):
    told = await events(fan([node("a", "waits", words=["x", "y"], **binding)], [says("b", "B")], last="end"))
    heard = "".join(event.text for event in told if isinstance(event, TextDelta))
    assert (heard, told[-1].output["response"]) == (("xy", "xy") if binding else ("", "end"))


def test_every_way_out_of_a_parallel_is_taken():
    document = flow(entry(), parallel(), says("a", ""), edge("entry", "all"), edge("all", "a", "true"))
    assert codes(document) == ["bad_value"]
