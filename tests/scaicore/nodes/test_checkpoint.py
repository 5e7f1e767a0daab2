"""Checkpoints: the turn ends with a question, and the entity's next message goes on behind it, wherever that runs."""

import json

import pytest

from scaicore import NodeFinished, NodeStarted, RunFailed, TextDelta
from tests.support import waiting
from tests.support.documents import chain, codes, edge, entry, events, flow, node, run, says, variable
from tests.support.services import MODELS, models
from tests.support.timing import within

ENTITY = {"scaiflow_meta": {"instance_mode": "entity"}}
CHOICE = {"prompt": "Send {{draft}}?", "options": ["Yes", "No"]}


def asks(node_id="ask", **config):
    return node(node_id, "checkpoint", **{"prompt": "Go on?", **config})


def approval(**config):
    return flow(
        entry(),
        says("draft", "<{{message}}>"),
        asks(**{**CHOICE, **config}),
        says("sent", "Sent {{draft}}: {{decision}}."),
        says("kept", "Kept {{draft}}."),
        edge("entry", "draft"),
        edge("draft", "ask"),
        edge("ask", "sent", "decision == 'Yes'"),
        edge("ask", "kept", "else"),
        **ENTITY,
    )


class Entity:
    """A memory between turns, as JSON text like in a database."""

    def __init__(self, document):
        self.document = document
        self.kept = json.dumps([{}, None])
        self.now = 1_000.0
        self.told = []

    async def says(self, message, **given):
        state, resume = json.loads(self.kept)
        rest = {key: given.pop(key) for key in ("services",) if key in given}
        self.told = await events(
            self.document,
            {"message": message, **given},
            entity_id="ann",
            state=state,
            resume=resume,
            now=self.now,
            **rest,
        )
        self.kept = json.dumps([self.told[-1].state, self.told[-1].resume])
        return self.told[-1].output["response"]

    @property
    def is_waiting(self):
        return json.loads(self.kept)[1] is not None

    def of(self, kind):
        return [event.node_id for event in self.told if isinstance(event, kind)]


async def test_the_turn_ends_with_the_question_and_the_next_message_decides():
    ann = Entity(approval())
    assert await ann.says("hello") == "Send <hello>?"
    assert ann.is_waiting
    assert await ann.says("Yes") == "Sent <hello>: Yes."
    assert not ann.is_waiting
    assert await ann.says("again") == "Send <again>?"


async def test_nothing_that_ran_before_the_question_runs_again():
    ann = Entity(approval())
    await ann.says("hello")
    assert (ann.of(NodeStarted), ann.of(NodeFinished)) == (["entry", "draft", "ask"], ["entry", "draft"])
    await ann.says("no")
    assert (ann.of(NodeStarted), ann.of(NodeFinished)) == (["kept"], ["ask", "kept"])


@pytest.mark.parametrize("text", ["yes", " YES\n", "Yes"])
async def test_an_option_is_known_in_any_case_of_letters(text):
    ann = Entity(approval())
    await ann.says("hello")
    assert await ann.says(text) == "Sent <hello>: Yes."


async def test_another_answer_is_asked_again():
    ann = Entity(approval())
    await ann.says("hello")
    kept = ann.kept
    assert await ann.says("{{decision}} yes and no") == "Send <hello>?"
    assert ann.kept == kept
    assert await ann.says("no") == "Kept <hello>."


async def test_without_options_any_text_decides():
    ann = Entity(chain(entry(), asks(result_binding="word"), says("end", "{{decision}} {{ask}} {{word}}"), **ENTITY))
    await ann.says("hello")
    assert await ann.says("{{message}}") == "{{message}} {{message}} {{message}}"


async def test_the_first_message_stays_and_the_history_is_the_present_one():
    ann = Entity(
        chain(entry(), asks(), says("end", "{{message}} {{entry.message}} {{messages.0}} {{colour}}"), **ENTITY)
    )
    await ann.says("one", messages=["old"], colour="red")
    assert "old" not in ann.kept
    assert await ann.says("two", messages=["new"], colour="blue") == "one one new red"


async def test_memory_that_was_set_before_the_question_is_kept():
    count = node("count", "data_variable_set", variable="n", expression="state.n + 1")
    more = {**count, "id": "more"}
    document = chain(
        entry(), count, asks(), more, says("end", "{{state.n}}"), variables=[variable("n", "integer")], **ENTITY
    )
    ann = Entity(document)
    await ann.says("a")
    assert json.loads(ann.kept)[0] == {"n": 1}
    assert await ann.says("b") == "2"


async def test_questions_follow_each_other():
    ann = Entity(
        chain(entry(), asks("a", prompt="A?"), asks("b", prompt="B after {{a}}?"), says("end", "{{a}}{{b}}"), **ENTITY)
    )
    assert [await ann.says(text) for text in ("hi", "x", "y")] == ["A?", "B after x?", "xy"]


async def test_other_branches_finish_first_and_questions_are_asked_one_by_one(monkeypatch):
    waiting.install(monkeypatch)
    document = flow(
        entry(),
        asks("a", prompt="A?"),
        asks("b", prompt="B?"),
        node("w", "waits", seconds=0.01, result="w"),
        says("end", "{{a}}{{b}}{{w}}"),
        edge("entry", "a"),
        edge("entry", "b"),
        edge("entry", "w"),
        edge("a", "end"),
        edge("b", "end"),
        edge("w", "end"),
        **ENTITY,
    )
    ann = Entity(document)
    assert await ann.says("hi") == "A?"
    assert ann.of(NodeFinished) == ["entry", "w"]
    assert [await ann.says("x"), await ann.says("y")] == ["B?", "xyw"]


async def test_a_loop_goes_on_in_the_turn_where_it_stood():
    document = flow(
        entry(),
        node("loop", "logic_loop", items="params.items"),
        says("one", "{{item}}{{index}}"),
        asks(prompt="{{one}}?"),
        says("two", "{{item}}={{decision}}"),
        says("end", "{{loop}}"),
        edge("entry", "loop"),
        edge("loop.body", "one"),
        edge("one", "ask"),
        edge("ask", "two"),
        edge("loop.done", "end"),
        **ENTITY,
    )
    ann = Entity(document)
    assert await ann.says("hi", params={"items": ["a", "b"]}) == "a0?"
    assert await ann.says("x") == "b1?"
    assert await ann.says("y") == '["a=x","b=y"]'


async def test_nested_loops_and_branches_are_put_away_whole():
    document = flow(
        entry(),
        node("rows", "logic_loop", items="[1, 2]", item_name="row"),
        node("all", "logic_parallel", max_concurrency=1),
        says("a", "a{{row}}"),
        node("cells", "logic_loop", items="[3]"),
        asks(prompt="{{row}}{{item}}?"),
        says("join", "{{all}}"),
        says("end", "{{rows}}"),
        edge("entry", "rows"),
        edge("rows.body", "all"),
        edge("all", "cells"),
        edge("all", "a"),
        edge("cells.body", "ask"),
        edge("cells.done", "join"),
        edge("a", "join"),
        edge("rows.done", "end"),
        **ENTITY,
    )
    ann = Entity(document)
    assert [await ann.says("hi"), await ann.says("x")] == ["13?", "23?"]
    assert json.loads(json.loads(await ann.says("y"))[1]) == {"cells": ["y"], "a": "a2"}


async def test_a_join_remembers_who_has_arrived():
    document = flow(
        entry(),
        says("a", "A"),
        asks(),
        says("end", "{{a}}{{ask}}"),
        edge("entry", "a"),
        edge("entry", "ask"),
        edge("a", "end"),
        edge("ask", "end"),
        **ENTITY,
    )
    ann = Entity(document)
    await ann.says("hi")
    assert await ann.says("x") == "Ax"


async def test_what_was_bound_to_the_response_is_kept():
    ann = Entity(
        chain(entry(), says("draft", "<{{message}}>", result_binding="response"), asks(), says("end", ""), **ENTITY)
    )
    await ann.says("hi")
    assert await ann.says("ok") == "<hi>"


async def test_a_late_answer_counts_as_the_flow_says():
    ann = Entity(approval(timeout="2h", on_timeout="No"))
    await ann.says("hello")
    ann.now += 7_201
    assert await ann.says("Yes") == "Kept <hello>."


async def test_an_answer_in_time_counts():
    ann = Entity(approval(timeout=60, on_timeout="No"))
    await ann.says("hello")
    ann.now += 59
    assert await ann.says("Yes") == "Sent <hello>: Yes."


async def test_without_a_rule_for_late_answers_the_flow_begins_anew():
    ann = Entity(approval(timeout=60))
    await ann.says("hello")
    ann.now += 61
    assert await ann.says("Yes") == "Send <Yes>?"


async def test_asking_again_gives_no_more_time():
    ann = Entity(approval(timeout=60))
    await ann.says("hello")
    ann.now += 50
    await ann.says("what?")
    ann.now += 50
    assert await ann.says("Yes") == "Send <Yes>?"


async def test_a_changed_text_goes_on_and_a_changed_shape_begins_anew():
    ann = Entity(approval())
    await ann.says("hello")
    ann.document["nodes"][3]["config"]["template"] = "Gone."
    kept = ann.kept
    assert await ann.says("Yes") == "Gone."
    ann.kept = kept
    ann.document["nodes"].append(says("more", ""))
    ann.document["edges"].append(edge("sent", "more"))
    assert await ann.says("Yes") == "Send <Yes>?"


def damages(kept):
    """The resume with each of its parts taken out or replaced."""
    for key in kept:
        yield {name: part for name, part in kept.items() if name != key}
        for wrong in (None, 7, "x", [], {}, [{}]):
            yield {**kept, key: wrong}


async def test_a_damaged_resume_begins_anew():
    first = (await run(approval(), {"message": "hello"}, entity_id="ann")).resume
    harmless = ("Send <Yes>?", "Send <hello>?", "Sent <hello>: Yes.", "Sent : Yes.")
    for damaged in [{}, {"a": 1}, *damages(first)]:
        answer = (await run(approval(), {"message": "Yes"}, entity_id="ann", resume=damaged)).output["response"]
        assert answer in harmless


async def test_nobody_speaks_before_a_question_and_the_reply_behind_it_is_heard():
    _, services = models(["dra", "ft"], ["re", "ply"])
    think = {"core_identity": {"models": MODELS}, **ENTITY}
    document = chain(entry(), node("draft", "llm_flexible"), asks(), node("reply", "llm_flexible"), **think)
    ann = Entity(document)
    assert await ann.says("hi", services=services) == "Go on?"
    assert not [event for event in ann.told if isinstance(event, TextDelta)]
    assert await ann.says("ok", services=services) == "reply"
    assert [event.text for event in ann.told if isinstance(event, TextDelta)] == ["re", "ply"]
    assert ann.told[-1].usage.prompt_tokens == 10


async def test_a_draft_that_is_bound_to_the_response_is_not_heard_before_the_question():
    _, services = models(["dra", "ft"])
    think = {"core_identity": {"models": MODELS}, **ENTITY}
    ann = Entity(chain(entry(), node("draft", "llm_flexible", result_binding="response"), asks(), **think))
    assert await ann.says("hi", services=services) == "Go on?"
    assert await ann.says("ok") == "draft"


async def test_what_cannot_be_kept_until_the_decision_fails_the_run():
    document = chain(entry(), says("a", "{{message}}"), asks(), **ENTITY)
    with within(10), pytest.raises(RunFailed) as failed:
        await run(document, {"message": "x" * 3_000_000}, entity_id="ann")
    assert (failed.value.reason, failed.value.node_id) == ("resume_too_large", "ask")


@pytest.mark.parametrize("kind", ["checkpoint", "hitl_decision"])
@pytest.mark.parametrize("mode", ["stateless", "singleton"])
def test_only_a_core_in_entity_mode_can_wait(kind, mode):
    document = chain(entry(), node("ask", kind, prompt="?"), scaiflow_meta={"instance_mode": mode})
    assert codes(document) == ["needs_entity_mode"]
    assert codes({**document, "config": ENTITY}) == []


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"prompt": " "}, "bad_value"),
        ({"prompt": "{{"}, "bad_template"),
        ({"timeout": 0}, "invalid_shape"),
        ({"timeout": "soon"}, "invalid_shape"),
        ({"options": ["a"], "timeout": 5, "on_timeout": "b"}, "bad_value"),
        ({"on_timeout": "b"}, "bad_value"),
    ],
)
def test_a_config_that_cannot_work_is_told_at_deploy(config, code):
    assert codes(chain(entry(), asks(**config), **ENTITY)) == [code]
