"""The engine: which nodes run, in which order, and what the Core answers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaicore import (
    DRIVERS,
    Finished,
    NodeFinished,
    NodeStarted,
    Program,
    RunFailed,
    RunRequest,
    TextDelta,
    collect,
    compile,
    link,
)
from tests.support.documents import answer, chain, data, edge, entry, events, flow, node, run, says, variable

ECHO = chain(entry(), says("reply", "{{message}}"))
CHOICE = flow(
    entry(),
    node("if", "logic_decision"),
    says("hot", "hot {{if}}"),
    says("cold", "cold"),
    says("other", "other"),
    edge("entry", "if"),
    edge("if", "other", "else"),
    edge("if", "hot", "params.t > 30"),
    edge("if", "cold", "params.t < 10 || params.t > 40"),
)
JOINED = flow(
    entry(),
    says("a", "A"),
    says("b", "B"),
    says("both", "{{a}}{{b}}"),
    edge("entry", "a"),
    edge("entry", "b"),
    edge("a", "both"),
    edge("b", "both"),
)


def ran(told):
    return [event.node_id for event in told if isinstance(event, NodeFinished)]


async def failure(document, given=None, **rest):
    with pytest.raises(RunFailed) as failed:
        await run(document, given, **rest)
    return failed.value.reason, failed.value.node_id


async def test_a_run_tells_its_nodes_and_ends_with_what_it_made():
    told = await events(ECHO)
    assert [type(event) for event in told] == [NodeStarted, NodeFinished, NodeStarted, NodeFinished, Finished]
    assert told[-1] == Finished(output={"response": "hello"}, usage=None, state={})
    assert told[1].result == {"message": "hello"}
    assert told[3].duration_ms >= 0


@given(st.text())
async def test_the_echo_answers_with_the_callers_own_text(text):
    assert await answer(ECHO, {"message": text}) == text


@pytest.mark.parametrize(("t", "text"), [(35, "hot if-hot"), (45, "hot if-hot"), (5, "cold"), (20, "other")])
async def test_a_decision_takes_the_first_edge_that_holds(t, text):
    assert await answer(CHOICE, {"params": {"t": t}}) == text


async def test_a_decision_without_a_way_fails():
    stuck = flow(entry(), node("if", "logic_decision"), says("a", ""), edge("entry", "if"), edge("if", "a", "false"))
    assert await failure(stuck) == ("no_branch", "if")


async def test_a_condition_that_cannot_be_evaluated_fails_at_its_node():
    assert await failure(CHOICE, {"params": {"t": "warm"}}) == ("expression_failed", "if")


async def test_a_join_waits_for_every_branch_and_runs_once():
    told = await events(JOINED)
    assert ran(told) == ["entry", "a", "b", "both"]
    assert told[-1].output == {"response": "AB"}


async def test_a_join_does_not_wait_for_a_branch_that_was_not_taken():
    document = flow(
        entry(),
        node("if", "logic_decision"),
        says("a", "A"),
        says("b", "B"),
        says("b2", "{{b}}"),
        says("end", "{{a}}{{b2}}"),
        edge("entry", "if"),
        edge("if", "a", "message == 'a'"),
        edge("if", "b", "else"),
        edge("b", "b2"),
        edge("a", "end"),
        edge("b2", "end"),
    )
    assert ran(await events(document, {"message": "a"})) == ["entry", "if", "a", "end"]
    assert await answer(document, {"message": "b"}) == "B"


async def test_a_branch_that_dies_late_does_not_hold_up_the_one_that_came():
    document = flow(
        entry(),
        says("x", "X"),
        node("if", "logic_decision"),
        says("y", ""),
        says("z", ""),
        says("end", "{{x}}"),
        edge("entry", "x"),
        edge("entry", "if"),
        edge("x", "end"),
        edge("if", "y", "false"),
        edge("if", "z", "else"),
        edge("y", "end"),
    )
    assert sorted(ran(await events(document))) == ["end", "entry", "if", "x", "z"]


async def test_a_decision_that_is_not_reached_passes_on_that_its_ways_are_dead():
    document = flow(
        entry(),
        node("if", "logic_decision"),
        node("deep", "logic_decision"),
        says("go", "G"),
        says("end", "{{go}}"),
        edge("entry", "if"),
        edge("if", "deep", "false"),
        edge("if", "go", "else"),
        edge("deep", "end", "else"),
        edge("go", "end"),
    )
    assert ran(await events(document)) == ["entry", "if", "go", "end"]


async def test_a_join_behind_only_dead_branches_does_not_run():
    document = flow(
        entry(),
        node("if", "logic_decision"),
        says("x", ""),
        says("y", ""),
        says("join", ""),
        says("go", "went"),
        edge("entry", "if"),
        edge("if", "x", "false"),
        edge("if", "go", "else"),
        edge("x", "y"),
        edge("x", "join"),
        edge("y", "join"),
    )
    assert ran(await events(document)) == ["entry", "if", "go"]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 7)), max_size=20), st.integers(0, 255))
async def test_any_forward_graph_ends_and_runs_each_node_at_most_once(pairs, bits):
    drawn = []
    for number, (a, step) in enumerate(pairs):
        b = min(a + step, 7)
        if a < b:
            kind = (
                edge(f"n{a}", f"n{b}", "true" if bits >> number & 1 else "false")
                if number % 2
                else edge(f"n{a}", f"n{b}")
            )
            drawn.append({**kind, "id": f"e{number}"})
    conditional = {part["source"]["node"] for part in drawn if "condition" in part}
    drawn += [{**edge(source, "n8", "else"), "id": f"x-{source}"} for source in conditional]
    document = flow(entry("n0"), *(says(f"n{i}", "") for i in range(1, 9)), *drawn)
    order = ran(await events(document))
    assert len(order) == len(set(order))


async def test_a_data_edge_feeds_a_value_to_a_port():
    document = flow(
        entry(),
        says("a", "A"),
        says("b", "{{whole}} {{part}}"),
        edge("entry", "a"),
        edge("a", "b"),
        data("a.out", "b.whole"),
        data("entry.message", "b.part"),
    )
    assert await answer(document) == "A hello"


async def test_what_a_data_edge_brings_is_seen_by_its_node_alone():
    document = chain(entry(), says("a", "{{text}}"), says("b", "{{a}}{{text}}"))
    document["edges"].append(data("entry.message", "a.text"))
    assert await answer(document) == "hello"


async def test_an_empty_placeholder_is_told_to_the_owner():
    told = await events(chain(entry(), says("reply", "<{{ghost.name}}>")))
    assert told[-1].output == {"response": "<>"}
    assert "`{{ghost.name}}`" in told[3].warnings[0]


async def test_a_caller_cannot_lay_a_value_under_the_name_of_a_node():
    forged = {"message": "m", "later": "forged", "state": {"n": 9}}
    document = chain(entry(), says("a", "<{{later}}{{state.n}}>"), says("b", "{{a}}", result_binding="later"))
    document["variables"] = [{"name": "n", "type": "integer", "default": 1}]
    assert await answer(document, forged) == "<1>"


@pytest.mark.parametrize("taken", ["message", "response", "loop"])
async def test_a_stored_program_with_a_name_that_was_reserved_later_runs_on(taken):
    document = chain(entry(), says("a", "{{message}}!"), says("b", f"{{{{{taken}}}}}"))
    program = compile(document).program
    stored = json.loads(json.dumps(program.to_dict()).replace('"a"', f'"{taken}"'))
    told = await collect(
        DRIVERS["flow"].run(RunRequest(program=link(Program.from_dict(stored)), input={"message": "hello"}))
    )
    assert told.output == {"response": "hello!"}


async def test_other_keys_of_the_input_are_in_the_scope():
    assert (
        await answer(
            chain(entry(), says("reply", "{{colour}} {{messages.0.content}}")),
            {
                "message": "m",
                "messages": [{"content": "first"}],
                "colour": "red",
            },
        )
        == "red first"
    )


@pytest.mark.parametrize(
    ("nodes", "response"),
    [
        ([says("a", "bound", result_binding="response"), says("b", "last")], "bound"),
        ([says("a", "one"), says("b", "last")], "last"),
        ([node("a", "data_variable_set", variable="v", expression="{'response': 7, 'more': 1}")], 7),
        ([node("a", "data_variable_set", variable="v", expression="[1, null]")], [1, None]),
    ],
)
async def test_the_response_is_what_is_bound_then_what_the_last_node_says(nodes, response):
    assert await answer(chain(entry(), *nodes, variables=[variable("v", "any")])) == response


async def test_a_flow_of_an_entry_alone_answers_with_its_input():
    assert await answer(chain(entry())) == {"message": "hello"}


async def test_a_flow_without_a_model_sends_no_text_before_its_end():
    assert not [event for event in await events(JOINED) if isinstance(event, TextDelta)]


async def test_an_unexpected_error_is_logged_and_answered_with_a_fixed_sentence(monkeypatch, caplog):
    monkeypatch.setattr("scaicore.language.templates.compact", lambda _value: 1 / 0)
    with pytest.raises(RunFailed, match=r"^The Core failed while it was running\.$") as failed:
        await run(chain(entry(), says("reply", "{{params}}")), {"params": {}})
    assert (failed.value.node_id, failed.value.reason) == ("reply", "node_failed")
    assert "node reply (llm_rigid) failed" in caplog.text
