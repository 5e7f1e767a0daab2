"""A model that calls the caller's tools: the call ends the turn, and the caller's next request goes on behind it."""

from __future__ import annotations

from typing import Any

import pytest

from scaicore import Finished, Services
from scaicore.services import ModelText, ToolCall, ToolCallPart
from tests.support.documents import Document, chain, codes, edge, entry, events, flow, node, run, says, variable
from tests.support.services import MODELS, Models

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ASKED = {"message": "Oslo?", "messages": [{"role": "user", "content": "Oslo?"}], "params": {"tools": [TOOL]}}
CALLED = [ToolCallPart(0, "call_1", "weather", '{"city": '), ToolCallPart(0, arguments='"Oslo"}')]
CALL = ToolCall("call_1", "weather", '{"city": "Oslo"}')
IDENTITY = {"core_identity": {"models": MODELS}}
ENTITY = IDENTITY | {"scaiflow_meta": {"instance_mode": "entity"}}


def reply(name: str = "reply", **config: Any) -> Document:
    return node(name, "llm_flexible", **{"goal": "Help.", "client_tools": True, "result_binding": "response", **config})


def answered(*results: Document, **params: Any) -> dict[str, Any]:
    """The caller's next request, with the results of the calls."""
    told = {"role": "assistant", "content": None, "tool_calls": [CALL.as_message_part()]}
    return {**ASKED, "messages": [*ASKED["messages"], told, *results], "params": {"tools": [TOOL]} | params}


RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "4 degrees"}


def with_models(*answers: Any) -> tuple[Models, Services]:
    models = Models(*answers, reason="tool_calls")
    return models, Services(models=models)


async def test_a_call_ends_the_turn_and_nothing_behind_the_node_runs() -> None:
    models, services = with_models(CALLED)
    document = chain(entry(), reply(), says("log", "It said {{reply}}"), **IDENTITY)
    seen = await events(document, ASKED, services=services)
    assert [event for event in seen if isinstance(event, ToolCallPart)] == CALLED
    end = seen[-1]
    assert isinstance(end, Finished)
    assert (end.tool_calls, end.finish_reason, end.resume) == ((CALL,), "tool_calls", None)
    assert end.output == {"response": "", "tool_calls": [CALL.as_message_part()]}
    assert end.usage and end.usage.prompt_tokens == 10
    assert [getattr(event, "node_id", "") for event in seen if "Started" in type(event).__name__] == ["entry", "reply"]
    assert models.calls[0].params["tools"] == [TOOL]


async def test_text_beside_a_call_is_part_of_the_answer() -> None:
    _, services = with_models([ModelText("Let me see."), *CALLED])
    end = await run(chain(entry(), reply(), **IDENTITY), ASKED, services=services)
    assert (end.output["response"], end.tool_calls) == ("Let me see.", (CALL,))


async def test_calls_and_results_of_the_conversation_reach_the_model_in_order() -> None:
    models, services = with_models("4 degrees.")
    given = answered(RESULT, tool_choice="auto", parallel_tool_calls=False)
    end = await run(chain(entry(), reply(), **IDENTITY), given, services=services)
    assert end.output["response"] == "4 degrees."
    assert [said["role"] for said in models.calls[0].messages] == ["system", "user", "assistant", "tool"]
    assert models.calls[0].messages[2]["tool_calls"] == [CALL.as_message_part()]
    assert models.calls[0].messages[3] == RESULT
    assert models.calls[0].params["tool_choice"] == "auto"
    assert models.calls[0].params["parallel_tool_calls"] is False


async def test_what_is_bound_in_place_of_the_question_stands_before_the_results() -> None:
    models, services = with_models("4 degrees.")
    document = chain(entry(), reply(input_bindings={"question": "message"}), **IDENTITY)
    await run(document, answered(RESULT), services=services)
    assert [said["role"] for said in models.calls[0].messages[1:]] == ["user", "assistant", "tool"]


async def test_a_node_that_does_not_say_so_offers_no_tools_and_reads_no_calls() -> None:
    models, services = with_models("Hello.")
    await run(chain(entry(), reply(client_tools=False), **IDENTITY), answered(RESULT), services=services)
    assert "tools" not in models.calls[0].params
    assert [said["role"] for said in models.calls[0].messages] == ["system", "user"]


async def test_a_caller_without_tools_gets_a_plain_answer() -> None:
    models, services = with_models("Hello.")
    await run(
        chain(entry(), reply(), **IDENTITY), {"message": "hi", "params": {"tool_choice": "none"}}, services=services
    )
    assert models.calls[0].params.keys().isdisjoint({"tools", "tool_choice"})


async def test_a_schema_is_for_the_answer_and_not_for_a_call() -> None:
    document = chain(entry(), reply(output_schema={"type": "object", "required": ["x"]}), **IDENTITY)
    _, services = with_models(CALLED, '{"x": 1}')
    assert (await run(document, ASKED, services=services)).tool_calls == (CALL,)
    assert (await run(document, answered(RESULT), services=services)).output["response"] == {"x": 1}


async def test_an_entity_goes_on_at_the_node_that_called_and_runs_nothing_before_it_again() -> None:
    count = node("count", "data_variable_set", variable="n", expression="int(state.n) + 1")
    noted = node("note", "data_variable_set", variable="last", value="{{reply}}")
    declared = [variable("n", "integer", default=0), variable("last", "string")]
    document = chain(entry(), count, reply(), noted, variables=declared, **ENTITY)
    _, services = with_models(CALLED, CALLED, "4 degrees.")
    first = await run(document, ASKED, services=services, entity_id="e")
    assert (first.state, first.resume is not None) == ({"n": 1, "last": ""}, True)
    given = {"state": first.state, "resume": first.resume, "entity_id": "e"}
    again = await run(document, answered(RESULT), services=services, **given)
    assert (again.tool_calls, again.state["n"]) == ((CALL,), 1)
    last = await run(document, answered(RESULT), services=services, **given | {"resume": again.resume})
    assert (last.output, last.state, last.resume) == ({"response": "4 degrees."}, {"n": 1, "last": "4 degrees."}, None)


@pytest.mark.parametrize(
    "given", [ASKED, answered({**RESULT, "tool_call_id": "call_2"}), answered(RESULT, ASKED["messages"][0])]
)
async def test_a_request_without_the_results_begins_anew(given: dict[str, Any]) -> None:
    count = node("count", "data_variable_set", variable="n", expression="int(state.n) + 1")
    document = chain(entry(), count, reply(), variables=[variable("n", "integer", default=0)], **ENTITY)
    _, services = with_models(CALLED, "Well.")
    first = await run(document, ASKED, services=services, entity_id="e")
    last = await run(document, given, services=services, entity_id="e", state=first.state, resume=first.resume)
    assert (last.state["n"], last.output) == (2, {"response": "Well."})


async def test_a_call_of_a_tool_that_nobody_offered_is_handed_on_and_told_to_the_owner() -> None:
    _, services = with_models([ToolCallPart(0, "call_1", "teleport", "{broken")])
    seen = await events(chain(entry(), reply(), **IDENTITY), ASKED, services=services)
    assert seen[-1].tool_calls == (ToolCall("call_1", "teleport", "{broken"),)  # type: ignore[union-attr]
    assert seen[-2].warnings == ("The model called `teleport`, which nobody offered.",)  # type: ignore[union-attr]


UNHEARD = {
    "another writes the response": chain(entry(), reply(result_binding=None), says("end", "x"), **IDENTITY),
    "branches side by side": flow(entry(), reply("a"), reply("b"), edge("entry", "a"), edge("entry", "b"), **IDENTITY),
    "no conversation": chain(entry(), reply(include_history=False), **IDENTITY),
    "a judge": chain(entry(), {**reply(validate="output != ''"), "type": "llm_guarded"}, **IDENTITY),
}


@pytest.mark.parametrize("name", UNHEARD)
def test_a_node_whose_calls_nobody_would_answer_cannot_be_deployed(name: str) -> None:
    assert "client_tools_unheard" in codes(UNHEARD[name], providers={"house"})


def test_a_flow_without_such_a_node_cannot_declare_tools() -> None:
    document = chain(entry(), reply(client_tools=False), **IDENTITY, capabilities=["tools"])
    assert codes(document, providers={"house"}) == ["impossible_capability"]
