"""The loop: a body that runs again and again, and always ends."""

from itertools import pairwise

import pytest

from scaicore import NodeFinished, RunFailed, RunTimedOut, TextDelta
from tests.scaicore.runtime.test_engine import failure, ran
from tests.support import waiting
from tests.support.documents import answer, chain, codes, data, edge, entry, events, flow, node, run, says, variable
from tests.support.timing import within


def loop(node_id="loop", **config):
    return node(node_id, "logic_loop", **config)


def foreach(*body, items="params.items", last="done {{loop}}", **config):
    """A loop whose body is a chain of nodes, and one node behind it."""
    names = [part["id"] for part in body]
    edges = [edge("loop.body", names[0]), *(edge(a, b) for a, b in pairwise(names))]
    return flow(
        entry(),
        loop(items=items, **config),
        *body,
        says("end", last),
        edge("entry", "loop"),
        *edges,
        edge("loop.done", "end"),
    )


def given(*items):
    return {"message": "hello", "params": {"items": list(items)}}


def counts(condition, limit=50):
    """A while-loop that adds one to `n` at each turn."""
    return flow(
        entry(),
        loop(style="while", condition=condition, max_iterations=limit),
        node("add", "data_variable_set", variable="n", expression="state.n + 1"),
        says("end", "{{state.n}}{{loop}}"),
        edge("entry", "loop"),
        edge("loop.body", "add"),
        edge("loop.done", "end"),
        variables=[variable("n", "integer")],
    )


async def test_the_body_runs_once_per_item_in_order_and_its_results_are_listed():
    document = foreach(says("one", "{{index}}:{{item}}"), says("two", "<{{one}}>"))
    assert await answer(document, given("a", "b", 3)) == 'done ["<0:a>","<1:b>","<2:3>"]'


async def test_a_loop_without_items_goes_on_at_once():
    told = await events(foreach(says("one", "never")), given())
    assert ran(told) == ["entry", "loop", "end"]
    assert told[-1].output == {"response": "done []"}


async def test_item_and_index_have_the_names_that_the_flow_gives_them():
    document = foreach(says("one", "{{line}}{{n}}"), item_name="line", index_name="n")
    assert await answer(document, given("a")) == 'done ["a0"]'


async def test_what_belongs_to_a_turn_ends_with_it():
    document = foreach(says("one", "{{item}}"), last="<{{item}}{{index}}{{one}}>")
    assert await answer(document, given("a")) == "<>"


async def test_a_caller_cannot_lay_a_value_under_the_name_of_an_item():
    assert await answer(foreach(says("one", "x"), last="<{{item}}>"), given("a") | {"item": "forged"}) == "<>"


async def test_a_while_loop_ends_by_its_condition():
    assert await answer(counts("state.n < 3")) == "3[1,2,3]"


async def test_a_while_loop_ends_at_its_limit_and_says_so():
    told = await events(counts("true", limit=4))
    assert told[-1].output == {"response": "4[1,2,3,4]"}
    (finished,) = [event for event in told if isinstance(event, NodeFinished) and event.node_id == "loop"]
    assert "4 turns" in finished.warnings[0]


async def test_a_while_loop_sees_what_its_last_turn_made():
    document = flow(
        entry(),
        loop(style="while", condition="grown == null || size(grown) < 3", max_iterations=9),
        says("grown", "{{grown}}x"),
        edge("entry", "loop"),
        edge("loop.body", "grown"),
    )
    assert await answer(document) == ["x", "xx", "xxx"]


async def test_loops_nest_and_the_inner_body_sees_the_outer_item():
    document = flow(
        entry(),
        loop("rows", items="params.items", item_name="row", index_name="r"),
        loop("cells", items="row"),
        says("cell", "{{r}}{{index}}{{item}}"),
        says("line", "{{cells}}"),
        says("end", "{{rows}}"),
        edge("entry", "rows"),
        edge("rows.body", "cells"),
        edge("cells.body", "cell"),
        edge("cells.done", "line"),
        edge("rows.done", "end"),
    )
    assert await answer(document, given(["a", "b"], [], ["c"])) == ('["[\\"00a\\",\\"01b\\"]","[]","[\\"20c\\"]"]')


async def test_a_body_may_decide_and_join():
    document = flow(
        entry(),
        loop(items="params.items"),
        node("if", "logic_decision"),
        says("big", "B"),
        says("small", "s"),
        says("join", "{{big}}{{small}}{{item}}"),
        says("end", "{{loop}}"),
        edge("entry", "loop"),
        edge("loop.body", "if"),
        edge("if", "big", "item > 5"),
        edge("if", "small", "else"),
        edge("big", "join"),
        edge("small", "join"),
        edge("loop.done", "end"),
    )
    assert await answer(document, given(3, 9)) == '["s3","B9"]'


async def test_an_edge_back_to_the_loop_ends_the_turn():
    document = foreach(says("one", "{{item}}"))
    document["edges"].append(edge("one", "loop"))
    assert codes(document) == []
    assert await answer(document, given("a", "b")) == 'done ["a","b"]'


async def test_a_loop_that_is_never_reached_holds_up_nothing():
    document = flow(
        entry(),
        node("if", "logic_decision"),
        loop(items="[1]"),
        says("one", ""),
        says("other", "o"),
        says("end", "e{{other}}"),
        edge("entry", "if"),
        edge("if", "loop", "false"),
        edge("if", "other", "else"),
        edge("loop.body", "one"),
        edge("loop.done", "end"),
        edge("other", "end"),
    )
    assert await answer(document) == "eo"


async def test_a_data_edge_feeds_a_node_of_the_same_body():
    document = foreach(says("one", "{{item}}"), says("two", "<{{text}}>"))
    document["edges"].append(data("one", "two.text"))
    assert await answer(document, given("a")) == 'done ["<a>"]'


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"items": "message"}, "not_a_list"),
        ({"max_iterations": 2}, "too_many_items"),
        ({"items": "params.items.map(i, i / 0)"}, "expression_failed"),
    ],
)
async def test_items_that_cannot_be_looped_over_fail_at_the_loop(config, reason):
    assert await failure(foreach(says("one", ""), **config), given(1, 2, 3)) == (reason, "loop")


async def test_a_condition_that_breaks_in_a_later_turn_fails_at_the_loop():
    assert await failure(counts("10 / (2 - state.n) > 0")) == ("expression_failed", "loop")


async def test_no_loop_runs_for_ever():
    with within(20), pytest.raises(RunFailed) as failed:
        await run(counts("true", limit=10**9))
    assert failed.value.reason == "too_many_steps"


async def test_loops_in_loops_end_too():
    inner = [loop(f"l{i}", items="[1,2,3,4,5,6,7,8,9,10]") for i in range(8)]
    edges = [edge(f"l{i}.body", f"l{i + 1}") for i in range(7)]
    document = flow(entry(), *inner, says("x", ""), edge("entry", "l0"), *edges, edge("l7.body", "x"))
    with within(20):
        assert (await failure(document))[0] == "too_many_steps"


async def test_a_loop_ends_at_its_own_timeout(monkeypatch):
    waiting.install(monkeypatch)
    document = foreach(node("w", "waits", seconds=0.02), timeout_s=0.05)
    with pytest.raises(RunTimedOut):
        await run(document, given(*range(100)))


async def test_a_loop_collects_no_more_than_a_run_may_hold(monkeypatch):
    monkeypatch.setattr("scaicore.runtime.budget.MAX_HELD", 10_000)
    assert (await failure(foreach(says("one", "{{message}}")), given(*range(50)) | {"message": "x" * 500}))[0] == (
        "too_much_data"
    )


async def test_nobody_speaks_from_inside_a_loop(monkeypatch):
    waiting.install(monkeypatch)
    document = foreach(node("w", "waits", words=["a", "b"], result_binding="response"))
    told = await events(document, given(1, 2))
    assert not [event for event in told if isinstance(event, TextDelta)]
    assert told[-1].output == {"response": "ab"}


@pytest.mark.parametrize(
    ("edges", "code"),
    [
        ([edge("loop.done", "b"), edge("b", "a")], "loop_leak"),
        ([edge("entry", "a")], "loop_leak"),
        ([edge("loop.done", "a")], "loop_leak"),
        ([edge("loop.done", "b"), data("a", "b.text")], "loop_leak"),
        ([edge("loop", "b")], "bad_value"),
        ([edge("loop.next", "b")], "bad_value"),
        ([edge("loop.done", "b", "true")], "bad_value"),
    ],
)
def test_a_body_that_is_not_closed_is_told(edges, code):
    document = flow(
        entry(), loop(items="[1]"), says("a", ""), says("b", ""), edge("entry", "loop"), edge("loop.body", "a"), *edges
    )
    assert code in codes(document)


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"items": None}, "bad_value"),
        ({"style": "while", "max_iterations": 3, "items": None}, "bad_value"),
        ({"style": "while", "max_iterations": 3, "condition": "1 + 1"}, "bad_condition"),
        ({"items": "[1"}, "bad_expression"),
        ({"max_iterations": 0}, "invalid_shape"),
        ({"item_name": "state"}, "reserved_name"),
        ({"index_name": "a b"}, "reserved_name"),
    ],
)
def test_a_config_that_cannot_work_is_told_at_deploy(config, code):
    assert code in codes(foreach(says("one", ""), **{"items": "[1]", **config}))


def test_a_circle_inside_a_body_is_still_one():
    document = foreach(says("one", ""), says("two", ""))
    document["edges"].append(edge("two", "one"))
    assert "cycle" in codes(document)


def test_a_flow_of_loops_compiles_in_bounded_time():
    def many(count):
        loops = [loop(f"l{i}", items="[1]") for i in range(count)]
        edges = [edge(f"l{i}.body", f"l{i + 1}") for i in range(count - 1)]
        return chain(entry(), *loops) | {"edges": [edge("entry", "l0"), *edges, edge(f"l{count - 1}.body", "x")]}

    with within(10):
        big = many(200)
        big["nodes"] += [says(f"x{i}", "") for i in range(4000)] + [says("x", "")]
        big["edges"] += [edge("x", "x0"), *(edge(f"x{i}", f"x{i + 1}") for i in range(3999))]
        assert codes(big) == []
    with within(10):
        assert "too_large" in codes(flow(*many(2000)["nodes"], says("x", ""), *many(2000)["edges"]))
