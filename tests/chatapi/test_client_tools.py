"""The caller's own tools through a published flow: offered to its model, called, answered, called again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from openai import BadRequestError, OpenAI

from chatapi.models import UsageRecord
from identity.models import User
from publishing.models import Core, Turn
from tests.chatapi.test_usage import recorded
from tests.support.chat_calls import call, error, frames, hello
from tests.support.serving import Server
from tests.support.thinking_flows import deployed, node
from tests.support.upstream import Upstream
from tests.support.upstream_answers import DONE, TEXT, USAGE, chunk, completion, giving, saying, streaming

KeyOf = Callable[[User], str]
NAME = "scaicore/acme/caller"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASK: list[Any] = [{"role": "user", "content": "How is Oslo?"}]
ARGUMENTS = '{"city": "Oslo"}'


def made_call(call_id: str = "call_1", name: str = "weather", arguments: Any = ARGUMENTS) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(call_id: str = "call_1", content: str = "4 degrees") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def told(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


CALLING = streaming(
    chunk(role="assistant", content=None),
    chunk(tool_calls=[{"index": 0, **made_call(arguments="")}]),
    chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"city": '}}]),
    chunk(tool_calls=[{"index": 0, "function": {"arguments": '"Oslo"}'}}]),
    chunk(finish="tool_calls"),
    {"choices": [], "usage": USAGE},
    DONE,
)


def caller(
    owner: User,
    *,
    instance_mode: str = "stateless",
    before: tuple[Any, ...] = (),
    role: dict[str, Any] | None = None,
    **config: Any,
) -> Core:
    """A published flow whose model may call the caller's tools; `role` is laid over its model."""
    identity = {"models": [{"role": "main", "ref": "scripted", "model": "odd", **(role or {})}]}
    reply = node("reply", "llm_flexible", goal="Help.", result_binding="response", client_tools=True)
    meta = {"instance_mode": instance_mode, "tracing": True}
    return deployed(owner, "Caller", *before, reply, core_identity=identity, scaiflow_meta=meta, **config)


def client(server: Server, key: str) -> OpenAI:
    return OpenAI(base_url=server.v1, api_key=key, max_retries=0, _strict_response_validation=True)


def test_a_whole_answer_holds_the_calls_and_the_results_reach_the_model(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root)
    models.plays("odd", CALLING, saying("4 degrees."))
    create = client(thinking, key_of(ann)).chat.completions.create
    answer = create(model=NAME, messages=ASK, tools=[WEATHER], tool_choice="auto", parallel_tool_calls=False)
    [choice] = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls and choice.message.tool_calls[0].model_dump() == made_call()
    assert answer.usage and answer.usage.total_tokens == USAGE["total_tokens"]
    history: list[Any] = [*ASK, choice.message.model_dump(exclude_none=True), result()]
    last = create(model=NAME, messages=history, tools=[WEATHER])
    assert (last.choices[0].message.content, last.choices[0].finish_reason) == ("4 degrees.", "stop")
    first, second = (seen.json for seen in models.requests)
    assert (first["tools"], first["tool_choice"], first["parallel_tool_calls"]) == ([WEATHER], "auto", False)
    assert second["messages"][1:] == [*ASK, told(made_call()), result()]


def test_a_stream_brings_the_calls_in_pieces_as_the_sdk_puts_them_together(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root)
    models.plays("odd", CALLING)
    with client(thinking, key_of(ann)).chat.completions.stream(
        model=NAME, messages=ASK, tools=[WEATHER], stream_options={"include_usage": True}
    ) as stream:
        kinds = [event.type for event in stream]
        answer = stream.get_final_completion()
    assert "tool_calls.function.arguments.delta" in kinds
    [choice] = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "")
    assert choice.message.tool_calls and choice.message.tool_calls[0].function.arguments == ARGUMENTS
    assert answer.usage and answer.usage.prompt_tokens == USAGE["prompt_tokens"]


def test_text_comes_before_the_calls(thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf) -> None:
    caller(root)
    models.plays("odd", giving(completion("Let me see.", "tool_calls", tool_calls=[made_call(), made_call("call_2")])))
    key = key_of(ann)
    message = call(thinking, key, hello(model=NAME, tools=[WEATHER])).json()["choices"][0]["message"]
    assert (message["content"], message["tool_calls"]) == ("Let me see.", [made_call(), made_call("call_2")])
    deltas = [
        choice["delta"]
        for frame in frames(call(thinking, key, hello(model=NAME, tools=[WEATHER], stream=True)))[:-1]
        for choice in frame["choices"]
    ]
    assert [name for delta in deltas for name in delta if delta[name]] == [
        "role",
        "content",
        "tool_calls",
        "tool_calls",
    ]
    assert [delta["tool_calls"][0]["index"] for delta in deltas if "tool_calls" in delta] == [0, 1]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "weather"}}])
def test_a_forced_call_is_forced_at_the_model(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, choice: Any
) -> None:
    caller(root)
    models.plays("odd", giving(completion(None, "stop", tool_calls=[made_call()])))
    answer = client(thinking, key_of(ann)).chat.completions.create(
        model=NAME, messages=ASK, tools=[WEATHER], tool_choice=choice
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    assert models.requests[0].json["tool_choice"] == choice


ODD_CALLS: dict[str, tuple[list[Any], list[dict[str, Any]]]] = {
    "arguments that are no JSON": ([made_call(arguments='{"city": Oslo')], [made_call(arguments='{"city": Oslo')]),
    "a tool that nobody offered": ([made_call(name="teleport")], [made_call(name="teleport")]),
    "arguments as an object": ([made_call(arguments={"city": "Oslo"})], [made_call(arguments='{"city":"Oslo"}')]),
    "no arguments": ([made_call(arguments=None)], [made_call(arguments="")]),
    "one index for all": (
        [{"index": 0, **made_call()}, {"index": 0, **made_call("call_2")}],
        [made_call(), made_call("call_2")],
    ),
}


@pytest.mark.parametrize("name", ODD_CALLS)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_what_a_model_calls_is_handed_on_as_it_is(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, name: str, is_streamed: bool
) -> None:
    sent, expected = ODD_CALLS[name]
    caller(root)
    models.plays("odd", streaming(chunk(tool_calls=sent), chunk(finish="tool_calls"), DONE))
    answer = call(thinking, key_of(ann), hello(model=NAME, tools=[WEATHER], stream=is_streamed))
    assert calls_of(answer, is_streamed) == expected


def calls_of(answer: requests.Response, is_streamed: bool) -> list[dict[str, Any]]:
    """The calls of an answer, put together."""
    assert answer.status_code == 200, answer.text
    if not is_streamed:
        found: list[dict[str, Any]] = answer.json()["choices"][0]["message"]["tool_calls"]
        return found
    calls: dict[int, dict[str, Any]] = {}
    for frame in frames(answer)[:-1]:
        for part in frame["choices"][0]["delta"].get("tool_calls", ()):
            index = part.pop("index")
            if index in calls:
                calls[index]["function"]["arguments"] += part["function"]["arguments"]
            else:
                calls[index] = part
    return [calls[index] for index in sorted(calls)]


def test_a_call_without_an_id_gets_one(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root)
    models.plays("odd", giving(completion(None, tool_calls=[{"function": {"name": "weather", "arguments": "{}"}}])))
    [made] = calls_of(call(thinking, key_of(ann), hello(model=NAME, tools=[WEATHER])), False)
    assert made["id"].startswith("call_")


@pytest.mark.parametrize(
    "calls", [[{"id": "call_1", "function": {"arguments": "{}"}}], [made_call(str(n)) for n in range(129)]]
)
def test_calls_that_cannot_be_read_are_a_failure_of_the_model(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, calls: list[Any]
) -> None:
    caller(root)
    models.plays("odd", giving(completion(None, tool_calls=calls)))
    answer = call(thinking, key_of(ann), hello(model=NAME, tools=[WEATHER]))
    assert (answer.status_code, error(answer)["code"]) == (502, "core_error")
    assert recorded(1)[0].outcome == "failed"


def test_a_caller_without_tools_is_answered_as_by_any_other_flow(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root)
    models.plays("odd", saying(TEXT))
    answer = call(thinking, key_of(ann), hello(model=NAME))
    assert answer.json()["choices"][0]["message"] == {"content": TEXT, "role": "assistant", "refusal": None}
    assert "tools" not in models.requests[0].json


def test_a_core_without_the_capability_ignores_an_offer_and_refuses_a_forced_call(
    echo: Core, server: Server, ann: User, key_of: KeyOf
) -> None:
    key = key_of(ann)
    for choice in ({}, {"tool_choice": "auto"}, {"tool_choice": "none"}):
        answer = call(server, key, hello(tools=[WEATHER], **choice))
        assert answer.json()["choices"][0]["message"]["content"] == "hello"
        assert answer.headers["x-scai-ignored-params"] == ",".join(["tools", *choice])
    for forced in ("required", {"type": "function", "function": {"name": "weather"}}):
        refused = call(server, key, hello(tools=[WEATHER], tool_choice=forced))
        assert (refused.status_code, error(refused)["code"]) == (400, "unsupported_parameter")
        assert error(refused)["param"] == "tool_choice"


def test_an_offer_that_is_heeded_is_not_called_ignored(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root)
    models.plays("odd", CALLING)
    answer = call(thinking, key_of(ann), hello(model=NAME, tools=[WEATHER], tool_choice="auto", service_tier="auto"))
    assert answer.headers["x-scai-ignored-params"] == "service_tier"


DEEP: dict[str, Any] = {}
for _ in range(100):
    DEEP = {"properties": {"x": DEEP}}
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "200 tools": ({"tools": [WEATHER] * 200}, "tools", "invalid_value"),
    "no list": ({"tools": WEATHER}, "tools", "invalid_type"),
    "another kind of tool": (
        {"tools": [{"type": "custom", "custom": {"name": "x"}}]},
        "tools[0].type",
        "invalid_value",
    ),
    "no name": (
        {"tools": [{"type": "function", "function": {}}]},
        "tools[0].function.name",
        "missing_required_parameter",
    ),
    "a name with spaces": (
        {"tools": [{"type": "function", "function": {"name": "the weather"}}]},
        "tools[0].function.name",
        "invalid_value",
    ),
    "a long name": (
        {"tools": [{"type": "function", "function": {"name": "x" * 65}}]},
        "tools[0].function.name",
        "invalid_value",
    ),
    "parameters that are none": (
        {"tools": [{"type": "function", "function": {"name": "x", "parameters": "none"}}]},
        "tools[0].function.parameters",
        "invalid_type",
    ),
    "parameters elsewhere": (
        {"tools": [{"type": "function", "function": {"name": "x", "parameters": {"$ref": "https://a.example/s"}}}]},
        "tools[0].function.parameters",
        "invalid_value",
    ),
    "a choice without tools": ({"tool_choice": "required"}, "tool_choice", "invalid_value"),
    "a choice that is none": ({"tools": [WEATHER], "tool_choice": "perhaps"}, "tool_choice", "invalid_value"),
    "a choice of nothing": ({"tools": [WEATHER], "tool_choice": {"type": "function"}}, "tool_choice", "invalid_value"),
    "a choice of another tool": (
        {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "teleport"}}},
        "tool_choice.function.name",
        "invalid_value",
    ),
    "a call without a result": ({"messages": [*ASK, told(made_call())]}, "messages[1]", "invalid_value"),
    "a call whose result comes too late": (
        {"messages": [*ASK, told(made_call()), *ASK, result()]},
        "messages[1]",
        "invalid_value",
    ),
    "one of two calls without a result": (
        {"messages": [*ASK, told(made_call(), made_call("call_2")), result()]},
        "messages[1]",
        "invalid_value",
    ),
    "a call answered twice": (
        {"messages": [*ASK, told(made_call()), result(), result()]},
        "messages[3].tool_call_id",
        "invalid_value",
    ),
    "a result of no call": ({"messages": [*ASK, result()]}, "messages[1].tool_call_id", "invalid_value"),
    "a result without an id": (
        {"messages": [*ASK, told(made_call()), {"role": "tool", "content": "x"}]},
        "messages[2].tool_call_id",
        "missing_required_parameter",
    ),
    "two calls of one id": (
        {"messages": [*ASK, told(made_call(), made_call()), result()]},
        "messages[1].tool_calls",
        "invalid_value",
    ),
    "a call without a name": (
        {"messages": [*ASK, told({"id": "call_1", "type": "function", "function": {"arguments": "{}"}}), result()]},
        "messages[1].tool_calls[0].function.name",
        "missing_required_parameter",
    ),
    "arguments that are no text": (
        {"messages": [*ASK, told(made_call(arguments={"city": "Oslo"})), result()]},
        "messages[1].tool_calls[0].function.arguments",
        "invalid_type",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_offer_or_conversation_is_400_and_asks_nobody(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, name: str
) -> None:
    fields, param, code = BAD[name]
    caller(root, instance_mode="entity")
    answer = call(thinking, key_of(ann), hello(model=NAME, entity_id="c-1", **fields))
    assert (answer.status_code, error(answer)["param"], error(answer)["code"]) == (400, param, code)
    assert not models.requests
    assert not Turn.objects.exists()


def test_a_schema_that_is_a_depth_bomb_is_400(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root)
    bomb = {"type": "function", "function": {"name": "x", "parameters": DEEP}}
    answer = call(thinking, key_of(ann), hello(model=NAME, tools=[bomb]))
    assert (answer.status_code, error(answer)["code"], models.requests) == (400, "invalid_json", [])


def test_arguments_that_are_no_json_may_stand_in_a_conversation(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root)
    models.plays("odd", saying(TEXT))
    broken = made_call(arguments="{broken")
    messages = [*ASK, told(broken), result(content="Error: no JSON")]
    assert call(thinking, key_of(ann), hello(model=NAME, messages=messages, tools=[WEATHER])).status_code == 200
    assert models.requests[0].json["messages"][2] == told(broken)


COUNT = node("count", "data_variable_set", variable="n", expression="int(state.n) + 1")


def counting(owner: User) -> Core:
    """A Core that counts its turns before it asks its model."""
    declared = [{"name": "n", "type": "integer", "default": 0}]
    return caller(owner, instance_mode="entity", before=(COUNT,), variables=declared)


def state_of(server: Server, key: str, core: Core) -> Any:
    url = f"{server.v1}/modules/scaicore/cores/{core.pk}/entity?entity_id=c-1"
    return requests.get(url, headers={"authorization": f"Bearer {key}"}, timeout=30).json()["data"]["state"]


def test_an_entitys_turn_that_ends_in_calls_is_a_turn_and_its_results_go_on_there(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    core, key = counting(root), key_of(ann)
    models.plays("odd", CALLING, saying("4 degrees."))
    first = call(thinking, key, hello(model=NAME, messages=ASK, tools=[WEATHER], entity_id="c-1"))
    assert calls_of(first, False) == [made_call()]
    assert state_of(thinking, key, core) == {"n": 1}
    history = [*ASK, told(made_call()), result()]
    last = call(thinking, key, hello(model=NAME, messages=history, tools=[WEATHER], entity_id="c-1"))
    assert last.json()["choices"][0]["message"]["content"] == "4 degrees."
    assert state_of(thinking, key, core) == {"n": 1}
    kept = [(turn.number, turn.response, turn.beside) for turn in Turn.objects.all()]
    assert [number for number, _, _ in kept] == [1, 2]
    assert kept[0][2]["finish_reason"] == "tool_calls"
    assert kept[1][1:] == ("4 degrees.", None)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_retried_request_gives_the_same_calls_and_asks_the_model_once(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, is_streamed: bool
) -> None:
    core, key = counting(root), key_of(ann)
    models.plays("odd", CALLING)
    body = hello(model=NAME, messages=ASK, tools=[WEATHER], entity_id="c-1", stream=is_streamed)
    first = call(thinking, key, body)
    again = call(thinking, key, body, **{"x-stainless-retry-count": "1"})
    assert calls_of(again, is_streamed) == calls_of(first, is_streamed) == [made_call()]
    reasons = [frames(each)[-2] if is_streamed else each.json() for each in (first, again)]
    assert [each["choices"][0]["finish_reason"] for each in reasons] == ["tool_calls"] * 2
    assert (len(models.requests), Turn.objects.count(), state_of(thinking, key, core)) == (1, 1, {"n": 1})


def test_a_new_question_in_place_of_the_results_begins_anew(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    core, key = counting(root), key_of(ann)
    models.plays("odd", CALLING, saying(TEXT))
    for _ in range(2):
        call(thinking, key, hello(model=NAME, messages=ASK, tools=[WEATHER], entity_id="c-1"))
    assert state_of(thinking, key, core) == {"n": 2}


def test_an_idempotency_key_gives_the_calls_of_a_stateless_core_again(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root)
    models.plays("odd", CALLING, saying(TEXT))
    key, body = key_of(ann), hello(model=NAME, tools=[WEATHER])
    answers = [call(thinking, key, body, **{"idempotency-key": "k"}) for _ in range(2)]
    assert [calls_of(each, False) for each in answers] == [[made_call()]] * 2


def test_an_invocation_and_a_trace_show_the_calls(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    core, headers = caller(root), {"authorization": f"Bearer {key_of(ann)}"}
    models.plays("odd", CALLING)
    url = f"{thinking.v1}/modules/scaicore/cores/{core.pk}"
    given = {"message": "Oslo?", "messages": ASK, "params": {"tools": [WEATHER]}}
    answer = requests.post(f"{url}/invoke", json={"input": given}, headers=headers, timeout=30)
    assert answer.json()["data"]["output"] == {"response": "", "tool_calls": [made_call()]}
    recorded(1)
    assert UsageRecord.objects.get().prompt_tokens == USAGE["prompt_tokens"]
    run = requests.get(f"{url}/runs/{answer.headers['x-request-id']}", headers=headers, timeout=30).json()["data"]
    assert run["nodes"][-1]["result"] == {"text": "", "tool_calls": [made_call()]}


def test_a_model_that_fails_in_the_middle_of_a_call_ends_the_stream_with_an_error(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root, instance_mode="entity")
    models.plays("odd", streaming(chunk(tool_calls=[{"index": 0, **made_call(arguments='{"ci')}])))
    answer = call(thinking, key_of(ann), hello(model=NAME, tools=[WEATHER], stream=True, entity_id="c-1"))
    *_, failure, done = frames(answer)
    assert (failure["error"]["code"], done) == ("core_error", "[DONE]")
    assert not Turn.objects.exists()


def test_no_other_model_takes_over_in_the_middle_of_a_call(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root, role={"fallback": [{"ref": "scripted", "model": "well"}]})
    models.plays("odd", streaming(chunk(tool_calls=[{"index": 0, **made_call(arguments='{"ci')}])))
    answer = call(thinking, key_of(ann), hello(model=NAME, tools=[WEATHER]))
    assert (answer.status_code, [seen.model for seen in models.requests]) == (502, ["odd"])


def test_calls_and_results_stay_apart_for_servers_whose_roles_take_turns(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root, role={"options": {"alternate_roles": True}})
    models.plays("odd", saying(TEXT))
    two = [told(made_call(), made_call("call_2")), result(), result("call_2")]
    said = {"role": "assistant", "content": "Let me see."}
    call(thinking, key_of(ann), hello(model=NAME, messages=[*ASK, said, *two], tools=[WEATHER]))
    assert models.requests[0].json["messages"][2:] == [said, *two]


def test_an_sdk_reads_the_sentence_of_a_refusal(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    caller(root)
    messages: list[Any] = [*ASK, told(made_call())]
    with pytest.raises(BadRequestError) as refused:
        client(thinking, key_of(ann)).chat.completions.create(model=NAME, messages=messages, tools=[WEATHER])
    assert "Send a `tool` message for each" in json.dumps(refused.value.body)
