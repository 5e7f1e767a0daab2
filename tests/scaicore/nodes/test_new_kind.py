"""A new node kind is one file and one line in the table: compiler, engine and editors ask the kind itself."""

import pytest

from scaicore import NodeFinished, compile, describe
from tests.scaicore.nodes.test_checkpoint import ENTITY, Entity
from tests.support import toy_kinds
from tests.support.documents import answer, chain, codes, edge, entry, flow, node, says


@pytest.fixture(autouse=True)
def _toys(monkeypatch):
    toy_kinds.install(monkeypatch)


def twice(*extra):
    return flow(
        entry(),
        node("loop", "toy_twice"),
        says("body", "{{nth}} {{each}}"),
        says("end", "{{loop}}"),
        edge("entry", "loop"),
        edge("loop.again", "body"),
        edge("loop.then", "end"),
        *extra,
    )


def riddle(**config):
    return chain(
        entry(), says("before", "Hm."), node("ask", "toy_riddle", riddle="Who?"), says("end", "{{ask}}!"), **config
    )


async def test_its_region_runs_behind_its_own_port():
    assert codes(twice()) == []
    assert await answer(twice()) == '["0 first","1 second"]'


async def test_its_body_may_lead_back_to_it():
    assert await answer(twice(edge("body", "loop"))) == '["0 first","1 second"]'


def test_a_way_into_its_body_is_refused_in_the_words_of_its_ports():
    found = compile(twice(edge("entry", "body"))).diagnostics
    assert [finding.code for finding in found] == ["loop_leak"]
    assert found[0].message.endswith("Join behind the loop's port `then`.")


def test_a_response_inside_its_body_is_not_streamed():
    program = compile(twice()).program
    assert program.responders == ("end",)
    inner = twice()
    inner["nodes"][2]["config"]["result_binding"] = "response"
    assert compile(inner).program.responders == ()


async def test_its_question_ends_the_turn_and_the_answer_is_its_result():
    ann = Entity(riddle(**ENTITY))
    assert await ann.says("hello") == "Who?"
    assert await ann.says("Nobody") == "Nobody!"
    assert ann.of(NodeFinished) == ["ask", "end"]


def test_its_question_needs_an_entity_and_keeps_it_without_variables():
    assert codes(riddle()) == ["needs_entity_mode"]
    assert codes(riddle(**ENTITY)) == []


def test_nothing_before_its_question_is_streamed():
    asking, plain = riddle(**ENTITY), riddle(**ENTITY)
    for document in (asking, plain):
        document["nodes"][1]["config"]["result_binding"] = "response"
    plain["nodes"][2] = says("ask", "No question.")
    assert compile(plain).program.responders == ("before",)
    assert compile(asking).program.responders == ()


async def test_its_entry_receives_calls():
    document = chain(node("mail", "toy_mail"), says("end", "{{message}}"), publish_as_model=True)
    assert codes(document) == []
    assert await answer(document) == "hello"
    assert codes(flow(*document["nodes"], edge("mail", "end"), edge("end", "mail"))) == ["edge_into_entry", "cycle"]


def test_editors_learn_its_ports_and_edges():
    told = {kind["kind"]: kind for kind in describe()}
    assert (told["toy_twice"]["inputs"], told["toy_twice"]["outputs"]) == (["in"], ["again", "then"])
    assert told["toy_riddle"]["edge_type"] == "conditional"
    assert told["toy_mail"]["inputs"] == []
