"""OpenAI's Python SDK against `/v1/responses`: each of its ways to call, whole and streamed."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from pydantic import BaseModel

from tests.support.upstream import Upstream
from tests.support.upstream_answers import DONE, TEXT, USAGE, chunk, completion, giving, saying, streaming

NAME = "scaicore/acme/helper"
ARGUMENTS = '{"city": "Oslo"}'
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
CHAT_WEATHER = {"type": "function", "function": {name: WEATHER[name] for name in WEATHER if name != "type"}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}
CALLING = streaming(
    chunk(role="assistant", content=None),
    chunk(tool_calls=[{"index": 0, **CALL, "function": {"name": "weather", "arguments": ""}}]),
    chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"city": '}}]),
    chunk(tool_calls=[{"index": 0, "function": {"arguments": '"Oslo"}'}}]),
    chunk(finish="tool_calls"),
    {"choices": [], "usage": USAGE},
    DONE,
)


class Person(BaseModel):
    """What the caller wants to know."""

    name: str
    age: int


def test_a_whole_answer_has_text_usage_and_status(sdk: OpenAI, models: Upstream) -> None:
    models.says("odd", TEXT)
    answer = sdk.responses.create(model=NAME, input="Hello?", instructions="Be kind.", metadata={"a": "b"})
    assert (answer.output_text, answer.status, answer.metadata) == (TEXT, "completed", {"a": "b"})
    assert answer.usage and answer.usage.total_tokens == USAGE["total_tokens"]
    system, said = models.requests[0].json["messages"]
    assert "Be kind." in system["content"]
    assert said == {"role": "user", "content": "Hello?"}


def test_a_stream_comes_in_the_documented_order(sdk: OpenAI, models: Upstream) -> None:
    models.says("odd", TEXT)
    kinds = [event.type for event in sdk.responses.create(model=NAME, input="Hello?", stream=True)]
    assert list(dict.fromkeys(kinds)) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_the_stream_helper_puts_the_text_together(sdk: OpenAI, models: Upstream) -> None:
    models.says("odd", TEXT)
    with sdk.responses.stream(model=NAME, input="Hello?") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        answer = stream.get_final_response()
    assert ("".join(deltas), answer.output_text, answer.status) == (TEXT, TEXT, "completed")


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_answer_is_parsed_into_the_callers_own_class(sdk: OpenAI, models: Upstream, is_streamed: bool) -> None:
    models.says("odd", '{"name": "Ida", "age": 7}')
    if is_streamed:
        with sdk.responses.stream(model=NAME, input="Who?", text_format=Person) as stream:
            answer = stream.get_final_response()
    else:
        answer = sdk.responses.parse(model=NAME, input="Who?", text_format=Person)
    assert answer.output_parsed == Person(name="Ida", age=7)
    asked = models.requests[0].json["response_format"]
    assert (asked["type"], asked["json_schema"]["strict"]) == ("json_schema", True)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_function_is_called_and_its_result_goes_on_from_the_call(
    sdk: OpenAI, models: Upstream, is_streamed: bool
) -> None:
    models.plays("odd", CALLING, saying("4 degrees."))
    if is_streamed:
        with sdk.responses.stream(model=NAME, input="How is Oslo?", tools=[WEATHER], tool_choice="auto") as stream:
            kinds = [event.type for event in stream]
            first = stream.get_final_response()
        assert "response.function_call_arguments.delta" in kinds
    else:
        first = sdk.responses.create(model=NAME, input="How is Oslo?", tools=[WEATHER], tool_choice="auto")
    [call] = first.output
    assert call.type == "function_call"
    assert (call.call_id, call.name, call.arguments, call.status) == ("call_1", "weather", ARGUMENTS, "completed")
    given: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "4 degrees"}]
    last = sdk.responses.create(model=NAME, input=given, previous_response_id=first.id, tools=[WEATHER])
    assert last.output_text == "4 degrees."
    one, two = (seen.json for seen in models.requests)
    assert (one["tools"], one["tool_choice"]) == ([CHAT_WEATHER], "auto")
    assert two["messages"][1:] == [
        {"role": "user", "content": "How is Oslo?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "4 degrees"},
    ]


def test_a_function_that_is_named_is_forced_at_the_model(sdk: OpenAI, models: Upstream) -> None:
    models.plays("odd", giving(completion(None, "stop", tool_calls=[CALL])))
    choice: Any = {"type": "function", "name": "weather"}
    answer = sdk.responses.create(model=NAME, input="Oslo?", tools=[WEATHER], tool_choice=choice)
    assert answer.output[0].type == "function_call"
    assert models.requests[0].json["tool_choice"] == {"type": "function", "function": {"name": "weather"}}


def test_a_conversation_goes_on_without_the_instructions_of_before(sdk: OpenAI, models: Upstream) -> None:
    models.says("odd", "One.", "Two.", "Three.")
    first = sdk.responses.create(model=NAME, input="a", instructions="Only now.")
    second = sdk.responses.create(model=NAME, input="b", previous_response_id=first.id)
    sdk.responses.create(model=NAME, input="c", previous_response_id=second.id, instructions="And now.")
    system, *said = models.requests[-1].json["messages"]
    assert ("Only now." in system["content"], "And now." in system["content"]) == (False, True)
    assert [(each["role"], each["content"]) for each in said] == [
        ("user", "a"),
        ("assistant", "One."),
        ("user", "b"),
        ("assistant", "Two."),
        ("user", "c"),
    ]


def test_a_stored_response_is_read_listed_and_deleted(sdk: OpenAI, models: Upstream) -> None:
    models.says("odd", TEXT)
    made = sdk.responses.create(model=NAME, input="Hello?")
    assert sdk.responses.retrieve(made.id) == made
    [item] = sdk.responses.input_items.list(made.id).data
    assert item.type == "message" and item.role == "user"
    with pytest.raises(BadRequestError, match="background"):
        sdk.responses.cancel(made.id)
    sdk.responses.delete(made.id)
    with pytest.raises(NotFoundError):
        sdk.responses.retrieve(made.id)


def test_items_of_the_sdk_go_back_as_they_came(sdk: OpenAI, models: Upstream) -> None:
    models.plays("odd", giving(completion("Let me see.", "tool_calls", tool_calls=[CALL])), saying("Done."))
    first = sdk.responses.create(model=NAME, input="Oslo?", tools=[WEATHER], store=False)
    result = {"type": "function_call_output", "call_id": "call_1", "output": "4"}
    given: Any = [{"role": "user", "content": "Oslo?"}, *(item.to_dict() for item in first.output), result]
    assert sdk.responses.create(model=NAME, input=given, tools=[WEATHER], store=False).output_text == "Done."
    assert models.requests[-1].json["messages"][2] == {
        "role": "assistant",
        "content": "Let me see.",
        "tool_calls": [CALL],
    }


def test_raw_and_streaming_answers_carry_the_headers(sdk: OpenAI, models: Upstream) -> None:
    models.says("odd", TEXT)
    raw = sdk.responses.with_raw_response.create(model=NAME, input="Hello?", service_tier="auto")
    assert raw.headers["x-scai-ignored-params"] == "service_tier"
    assert raw.parse().output_text == TEXT
    with sdk.responses.with_streaming_response.create(model=NAME, input="Hello?") as streamed:
        assert streamed.parse().output_text == TEXT
