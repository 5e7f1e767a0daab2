"""`POST /v1/responses`: every answer and event is what OpenAI's description says, and bad input is refused by name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from openai import OpenAI

from chatapi.models import StoredResponse, UsageRecord
from identity.models import User
from publishing.models import Core
from tests.chatapi.responses_api.test_sdk import CALL, CALLING, CHAT_WEATHER, NAME, WEATHER
from tests.chatapi.test_usage import recorded
from tests.support.chat_calls import error
from tests.support.pictures import data_url, png
from tests.support.response_calls import ask, create, events, hello, text_of, whole
from tests.support.serving import Server, serving
from tests.support.thinking_flows import deployed, node
from tests.support.upstream import Upstream
from tests.support.upstream_answers import DONE, TEXT, USAGE, chunk, completion, giving, streaming
from tests.support.upstream_wire import Script, Seen, Wire

KeyOf = Callable[[User], str]


def test_a_text_is_answered_by_a_response(server: Server, anns: str) -> None:
    found = whole(create(server, anns))
    assert (text_of(found), found["status"], found["model"]) == ("hello", "completed", "scaicore/acme/echo-agent")
    assert (found["tools"], found["tool_choice"], found["store"], found["error"]) == ([], "auto", True, None)


def test_a_stream_ends_with_the_response_that_is_stored(server: Server, anns: str) -> None:
    *_, last = events(create(server, anns, hello(stream=True)))
    assert (last["type"], text_of(last["response"])) == ("response.completed", "hello")
    assert StoredResponse.objects.get().response == last["response"]


def test_it_is_counted_like_a_call_of_the_chat(server: Server, anns: str, ann: User) -> None:
    whole(create(server, anns))
    [row] = recorded(1)
    assert (row.user_id, row.purpose, row.outcome, row.is_streamed) == (ann.pk, "chat", "ok", False)


SAID: dict[str, tuple[Script, str, list[str]]] = {
    "a text": (
        streaming(chunk(role="assistant", content=""), chunk(TEXT), chunk(finish="stop"), DONE),
        "completed",
        ["message"],
    ),
    "a cut": (giving(completion(TEXT, "length")), "incomplete", ["message"]),
    "a filter": (giving(completion(TEXT, "content_filter")), "incomplete", ["message"]),
    "a refusal": (giving(completion(None, refusal="I will not.")), "completed", ["message"]),
    "a call": (CALLING, "completed", ["function_call"]),
    "text and two calls": (
        giving(completion("See.", "tool_calls", tool_calls=[CALL, CALL | {"id": "call_2"}])),
        "completed",
        ["message", "function_call", "function_call"],
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_whatever_a_model_says_is_as_openai_describes_it(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf, name: str
) -> None:
    script, status, kinds = SAID[name]
    models.plays("odd", script)
    key = key_of(ann)
    first = create(thinking, key, hello(model=NAME, tools=[WEATHER]))
    found = whole(first)
    assert (found["status"], [item["type"] for item in found["output"]]) == (status, kinds)
    *_, last = events(create(thinking, key, hello(model=NAME, tools=[WEATHER], stream=True)))
    assert last["type"] == f"response.{status}"
    assert [item["type"] for item in last["response"]["output"]] == kinds
    assert [_bare(item) for item in last["response"]["output"]] == [_bare(item) for item in found["output"]]


def _bare(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "id"}


def test_a_failure_in_the_middle_of_a_stream_is_told_by_events(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf
) -> None:
    models.plays("odd", streaming(chunk("Half"), b"data: {broken\n\n"))
    *_, problem, last = events(create(thinking, key_of(ann), hello(model=NAME, stream=True)))
    assert (problem["type"], problem["code"]) == ("error", "core_error")
    assert (last["type"], last["response"]["status"]) == ("response.failed", "failed")
    assert last["response"]["error"]["code"] == "server_error"
    assert text_of(last["response"]) == "Half"
    assert StoredResponse.objects.get().status == "failed"


def test_a_failure_before_the_first_word_is_an_http_error_and_stores_nothing(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf
) -> None:
    models.plays("odd", giving(b"{}", status=400))
    for is_streamed in (False, True):
        answer = create(thinking, key_of(ann), hello(model=NAME, stream=is_streamed))
        assert (answer.status_code, error(answer)["code"]) == (502, "core_error")
    assert not StoredResponse.objects.exists()


def test_an_answer_that_does_not_fit_is_told_in_the_words_of_this_api(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf
) -> None:
    models.says("odd", "no JSON")
    answer = create(thinking, key_of(ann), hello(model=NAME, text={"format": {"type": "json_object"}}))
    assert (answer.status_code, error(answer)["code"]) == (502, "core_error")
    assert "`text.format`" in error(answer)["message"]


def test_images_and_files_reach_the_model(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf
) -> None:
    models.says("odd", TEXT)
    url = data_url(png(8, 8))
    parts = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": url, "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
    ]
    whole(create(thinking, key_of(ann), hello(model=NAME, input=[{"role": "user", "content": parts}])))
    assert models.requests[0].json["messages"][-1]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
    ]


def test_a_model_without_the_capability_ignores_offered_functions_and_says_so(server: Server, anns: str) -> None:
    answer = create(server, anns, hello(tools=[WEATHER], tool_choice="auto", truncation="auto"))
    assert text_of(whole(answer)) == "hello"
    assert answer.headers["x-scai-ignored-params"] == "tools,tool_choice,truncation"


SAY = {"role": "user", "content": "hello"}
MADE = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
GAVE = {"type": "function_call_output", "call_id": "a", "output": "1"}
UNSUPPORTED = "unsupported_parameter"
MISSING = "missing_required_parameter"
IMAGE = {"type": "input_image", "image_url": "https://example.com/a.png"}
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no input": ({"input": None}, "input", "invalid_type"),
    "an empty list": ({"input": []}, "input", "invalid_value"),
    "a number": ({"input": 7}, "input", "invalid_type"),
    "an item that is no object": ({"input": [7]}, "input[0]", "invalid_type"),
    "an item of no type": ({"input": [{}]}, "input[0].type", MISSING),
    "an item of OpenAI's tools": ({"input": [SAY, {"type": "web_search_call"}]}, "input[1].type", UNSUPPORTED),
    "a role that is none": ({"input": [{"role": "king", "content": "x"}]}, "input[0].role", "invalid_value"),
    "no content": ({"input": [{"role": "user"}]}, "input[0].content", MISSING),
    "an unknown part": (
        {"input": [{"role": "user", "content": [{"type": "x"}]}]},
        "input[0].content[0].type",
        "invalid_value",
    ),
    "a part without text": (
        {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
        "input[0].content[0].text",
        MISSING,
    ),
    "an image of a model that is blind": (
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": "x"}, IMAGE]}]},
        "input[0].content[1]",
        UNSUPPORTED,
    ),
    "a stored file": (
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file_1"}]}]},
        "input[0].content[0].file_id",
        "invalid_value",
    ),
    "a file elsewhere": (
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "https://x.test/a"}]}]},
        "input[0].content[0].file_url",
        UNSUPPORTED,
    ),
    "words of the assistant alone": ({"input": [{"role": "assistant", "content": "x"}]}, "input", "invalid_value"),
    "a tool of OpenAI's": ({"tools": [{"type": "web_search"}]}, "tools[0].type", UNSUPPORTED),
    "a function of no name": ({"tools": [{"type": "function"}]}, "tools[0].name", MISSING),
    "200 functions": ({"tools": [WEATHER] * 200}, "tools", "invalid_value"),
    "a choice of OpenAI's": ({"tools": [WEATHER], "tool_choice": {"type": "web_search"}}, "tool_choice", UNSUPPORTED),
    "a forced call": ({"tools": [WEATHER], "tool_choice": "required"}, "tool_choice", UNSUPPORTED),
    "a format": ({"text": {"format": {"type": "json_object"}}}, "text.format", UNSUPPORTED),
    "background": ({"background": True}, "background", UNSUPPORTED),
    "a conversation": ({"conversation": "conv_1"}, "conversation", UNSUPPORTED),
    "a prompt": ({"prompt": {"id": "pmpt_1"}}, "prompt", UNSUPPORTED),
    "logprobs": ({"top_logprobs": 3}, "top_logprobs", UNSUPPORTED),
    "included logprobs": ({"include": ["message.output_text.logprobs"]}, "include", UNSUPPORTED),
    "too few tokens": ({"max_output_tokens": 3}, "max_output_tokens", "invalid_value"),
    "too hot": ({"temperature": 3}, "temperature", "invalid_value"),
    "metadata": ({"metadata": {"a": 1}}, "metadata", "invalid_type"),
    "truncation": ({"truncation": "maybe"}, "truncation", "invalid_value"),
    "a long entity": ({"entity_id": "x" * 200}, "entity_id", "invalid_value"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_with_its_path(server: Server, anns: str, name: str) -> None:
    fields, param, code = REFUSED[name]
    for is_streamed in (False, True):
        answer = create(server, anns, hello(stream=is_streamed, **fields))
        assert (answer.status_code, error(answer)["type"]) == (400, "invalid_request_error"), answer.text
        assert (error(answer)["param"], error(answer)["code"]) == (param, code)
    assert not StoredResponse.objects.exists()
    assert not UsageRecord.objects.exists()


CONVERSATIONS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a call without its result": ([SAY, MADE], "input[1]"),
    "a result without its call": ([SAY, GAVE], "input[1].call_id"),
    "a call that is answered twice": ([SAY, MADE, GAVE, GAVE], "input[3].call_id"),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_calls_and_results_must_match(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf, name: str
) -> None:
    items, param = CONVERSATIONS[name]
    answer = create(thinking, key_of(ann), hello(model=NAME, input=items))
    assert (answer.status_code, error(answer)["param"]) == (400, param)
    assert "messages" not in error(answer)["message"]
    assert models.requests == []


def test_two_calls_stand_in_one_message_and_what_is_said_beside_them_too(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf
) -> None:
    models.says("odd", TEXT)
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait."}]}
    calls = [MADE, MADE | {"call_id": "b"}]
    items = [SAY, thought, *calls, said, GAVE | {"call_id": "b"}, GAVE]
    whole(create(thinking, key_of(ann), hello(model=NAME, input=items)))
    first, second, third = models.requests[0].json["messages"][2:]
    assert (first["content"], [call["id"] for call in first["tool_calls"]]) == ("Wait.", ["a", "b"])
    assert (second["tool_call_id"], third["tool_call_id"]) == ("b", "a")


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"model": NaN}', b'{"model": "a\\u0000b", "input": "x"}'])
def test_a_body_that_is_no_usable_json_is_400(server: Server, anns: str, body: bytes) -> None:
    assert error(create(server, anns, body))["code"] == "invalid_json"


def test_access_is_decided_as_for_the_chat(
    server: Server, narrow_echo: Core, bo: User, cy: User, key_of: KeyOf
) -> None:
    found = [error(create(server, key)) for key in (None, key_of(bo), key_of(cy))]
    assert [each["code"] for each in found] == ["invalid_api_key", "model_access_denied", "model_not_found"]
    # A stranger learns nothing about the body.
    assert error(create(server, None, b"nothing"))["code"] == "invalid_api_key"


def test_the_other_prefix_and_a_slash_at_the_end_are_the_same(server: Server, anns: str) -> None:
    oai = Server(f"{server.url}/oai", server.process)
    assert text_of(whole(create(oai, anns))) == "hello"


def test_tools_reach_the_model_in_the_chats_shape(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf
) -> None:
    models.says("odd", TEXT)
    fields = {"max_output_tokens": 50, "temperature": 0.5, "top_p": 0.5, "parallel_tool_calls": False}
    found = whole(create(thinking, key_of(ann), hello(model=NAME, tools=[WEATHER], **fields)))
    asked = models.requests[0].json
    assert (asked["tools"], asked["temperature"], asked["parallel_tool_calls"]) == ([CHAT_WEATHER], 0.5, False)
    assert 50 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))
    assert (found["max_output_tokens"], found["temperature"], found["parallel_tool_calls"]) == (50, 0.5, False)
    assert found["usage"]["input_tokens"] == USAGE["prompt_tokens"]


async def in_two_halves(wire: Wire, _seen: Seen) -> None:
    """A stream with a pause in the middle of it."""
    await wire.head()
    await wire.event(chunk("Half "))
    await asyncio.sleep(1.5)
    await wire.event(chunk("and half."))
    await wire.event(chunk(finish="stop"))
    await wire.piece(DONE)
    await wire.end()


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_response_under_way_is_known_by_its_id_and_stays_deleted(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf, is_deleted: bool
) -> None:
    models.plays("odd", in_two_halves)
    key = key_of(ann)
    with OpenAI(base_url=thinking.v1, api_key=key, max_retries=0) as client:
        stream = iter(client.responses.create(model=NAME, input="Hello?", stream=True))
        begun = next(stream)
        assert begun.type == "response.created"
        path = f"/{begun.response.id}"
        assert ask(thinking, key, "GET", path).json()["status"] == "in_progress"
        answer = create(thinking, key, hello(model=NAME, previous_response_id=begun.response.id))
        assert (answer.status_code, error(answer)["code"]) == (409, "response_in_progress")
        if is_deleted:
            ask(thinking, key, "DELETE", path)
        *_, last = stream
    assert last.type == "response.completed" and last.response.output_text == "Half and half."
    assert ask(thinking, key, "GET", path).status_code == (404 if is_deleted else 200)


def test_a_response_whose_caller_leaves_is_cancelled_with_what_was_said(
    helper: Core, thinking: Server, models: Upstream, ann: User, key_of: KeyOf
) -> None:
    models.plays("odd", in_two_halves)
    key = key_of(ann)
    with OpenAI(base_url=thinking.v1, api_key=key, max_retries=0) as client:
        stream = client.responses.create(model=NAME, input="Hello?", stream=True)
        begun = next(stream)
        assert begun.type == "response.created"
        assert any(event.type == "response.output_text.delta" for event in stream)
        stream.close()
    path = f"/{begun.response.id}"
    until = time.monotonic() + 10
    while (found := ask(thinking, key, "GET", path).json())["status"] == "in_progress":
        assert time.monotonic() < until
        time.sleep(0.05)
    assert found["status"] == "cancelled" and text_of(found) == "Half "
    answer = create(thinking, key, hello(model=NAME, previous_response_id=begun.response.id))
    assert answer.status_code == 400 and "cancelled" in error(answer)["message"]


def test_a_silence_is_told_by_a_comment_between_events(
    helper: Core, models: Upstream, thinking: Server, ann: User, key_of: KeyOf
) -> None:
    models.plays("odd", in_two_halves)
    with serving(OUTBOUND_ALLOWED_HOSTS=f"127.0.0.1:{models.port}", KEEP_ALIVE_S="0.3") as server:
        answer = create(server, key_of(ann), hello(model=NAME, stream=True))
    assert ": keep-alive\n\n" in answer.text
    assert text_of(events(answer)[-1]["response"]) == "Half and half."


def test_a_core_with_memory_is_called_by_its_entity(server: Server, root: User, ann: User, key_of: KeyOf) -> None:
    deployed(
        root,
        "Memory",
        node("reply", "llm_rigid", template="{{state.last}} {{message}}", result_binding="response"),
        node("keep", "data_variable_set", variable="last", value="{{message}}"),
        variables=[{"name": "last", "type": "string", "default": ""}],
        scaiflow_meta={"instance_mode": "entity"},
    )
    key, asked = key_of(ann), hello(model="scaicore/acme/memory", entity_id="one")
    assert text_of(whole(create(server, key, asked))).strip() == "hello"
    by_header = create(server, key, hello(model="scaicore/acme/memory", input="again"), **{"x-entity-id": "one"})
    assert text_of(whole(by_header)) == "hello again"
    missing = create(server, key, hello(model="scaicore/acme/memory"))
    assert (missing.status_code, error(missing)["param"]) == (400, "entity_id")
