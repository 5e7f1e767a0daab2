"""What a flow can do for its callers: derived from its nodes, and never more than one of them could."""

from __future__ import annotations

from typing import Any

import pytest

from scaicore import compile, link
from scaicore.program import Program
from tests.support.documents import Document, chain, edge, entry, flow, node, says

MODEL = {"role": "main", "ref": "house", "model": "m"}


def reply(name: str = "reply", **config: Any) -> Document:
    return node(name, "llm_flexible", goal="Help.", **config)


def compiled(document: Document, *declared: str, **model: Any) -> Any:
    document["config"] = {
        **document["config"],
        "capabilities": list(declared),
        "core_identity": {"models": [MODEL | model]},
    }
    return compile(document, providers={"house"})


def able(document: Document, *declared: str, **model: Any) -> set[str]:
    compilation = compiled(document, *declared, **model)
    assert compilation.program, compilation.diagnostics
    return set(compilation.program.capabilities)


def either(one: Document, other: Document) -> Document:
    """Two nodes of which each run comes to one."""
    ways = (edge("if", one["id"], "message == 'x'"), edge("if", other["id"], "else"))
    return flow(entry(), node("if", "logic_decision"), one, other, edge("entry", "if"), *ways)


STRUCTURED = {"structured_output"}
FLOWS: dict[str, tuple[Document, set[str]]] = {
    "a model's reply": (chain(entry(), reply()), STRUCTURED),
    "a model's reply, bound": (chain(entry(), reply(result_binding="response"), says("log", "x")), STRUCTURED),
    "a text": (chain(entry(), says("reply", "x")), set()),
    "a text behind a model": (chain(entry(), reply("draft"), says("reply", "{{draft}}")), set()),
    "two models, one or the other": (either(reply("a"), reply("b")), STRUCTURED),
    "a model or a text": (either(reply("a"), says("b", "No.")), set()),
    "a model that is bound, or a text that comes last": (
        either(reply("a", result_binding="response"), says("b", "No.")),
        set(),
    ),
    "two models side by side": (flow(entry(), reply("a"), reply("b"), edge("entry", "a"), edge("entry", "b")), set()),
    "a model in a loop": (
        flow(
            entry(),
            {**node("loop", "logic_loop", style="foreach", items="[1]"), "outputs": [{"id": "body"}, {"id": "done"}]},
            reply("a"),
            edge("entry", "loop"),
            edge("loop.body", "a"),
        ),
        set(),
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_json_is_promised_where_a_model_writes_the_response_in_every_run(name: str) -> None:
    document, expected = FLOWS[name]
    assert able(document) == expected


def test_a_flow_that_may_ask_a_person_promises_no_json() -> None:
    document = chain(entry(), node("ask", "checkpoint", prompt="Sure?"), reply())
    document["config"]["scaiflow_meta"] = {"instance_mode": "entity"}
    assert able(document) == set()


def test_thinking_that_is_passed_on_is_a_capability() -> None:
    assert able(chain(entry(), reply()), options={"thinking": "pass"}) == STRUCTURED | {"reasoning"}
    assert able(chain(entry(), reply()), options={"thinking": "hide"}) == STRUCTURED


@pytest.mark.parametrize("word", ["images", "audio", "files", "web_search", "reasoning"])
def test_what_depends_on_the_model_is_declared(word: str) -> None:
    assert able(chain(entry(), reply()), word) == STRUCTURED | {word}


@pytest.mark.parametrize(
    ("word", "meant"), [("image_url", "images"), ("response_format", "structured_output"), ("input_audio", "audio")]
)
def test_the_words_of_the_protocol_are_understood(word: str, meant: str) -> None:
    assert meant in able(chain(entry(), reply()), word)


@pytest.mark.parametrize("kind", ["tool_http", "subflow_call"])
def test_another_server_or_core_may_look_at_an_image(kind: str) -> None:
    config = {"tool_http": {"url": "https://a.example"}, "subflow_call": {"target": "core://acme/other"}}[kind]
    assert able(chain(entry(), node("other", kind, **config)), "images") == {"images"}


@pytest.mark.parametrize("word", ["structured_output", "images", "audio", "files", "web_search", "reasoning"])
def test_what_no_node_could_do_cannot_be_declared(word: str) -> None:
    compilation = compiled(chain(entry(), says("reply", "x")), word)
    assert compilation.program is None
    [found] = compilation.diagnostics
    assert (found.severity, found.code, found.path) == ("error", "impossible_capability", "config.capabilities")
    assert f"`{word}`" in found.message


def test_a_model_that_does_not_read_the_conversation_sees_no_images() -> None:
    compilation = compiled(chain(entry(), reply(include_history=False)), "images")
    assert [found.code for found in compilation.diagnostics] == ["impossible_capability"]


@pytest.mark.parametrize("word", ["telepathy", "n", "logprobs", "function_call"])
def test_a_word_that_is_no_capability_is_named(word: str) -> None:
    [found] = compiled(chain(entry(), reply()), word).diagnostics
    assert (found.code, word in found.message) == ("bad_value", True)


def test_a_program_of_an_earlier_server_keeps_what_it_could() -> None:
    words = ["image_url", "response_format", "tool_choice"]  # it could declare what none of its nodes did
    stored = compiled(chain(entry(), reply())).program.to_dict() | {"capabilities": words}
    assert link(Program.from_dict(stored)).capabilities == {"images", "structured_output"}
