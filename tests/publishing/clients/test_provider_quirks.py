"""What model servers do in the wild, one row each: how the server behaves, and what becomes of the call.

A new row: `refusing(when, error, status)`, `giving(body, …)` or `streaming(event, …)` scripts the server, see
`tests/support/upstream_answers.py`; the rest of the row says what the flow gets.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from email.utils import formatdate
from itertools import pairwise
from typing import Any

import pytest
from django.conf import LazySettings

from publishing import outbound, providers
from publishing.clients import model_quirks
from scaicore.model_options import ModelOptions
from scaicore.services import ServiceFailed
from tests.support.model_calls import heard, stream
from tests.support.upstream import Upstream
from tests.support.upstream_answers import DONE, TEXT, chunk, completion, giving, refusing, streaming
from tests.support.upstream_wire import Script

SYSTEM = {"role": "system", "content": "Be kind."}
HELLO = {"role": "user", "content": "hello"}
TALK = [SYSTEM, HELLO]
TWO_IN_A_ROW = [SYSTEM, HELLO, {"role": "user", "content": "again"}]
ALL_FIELDS = {
    "temperature": 0.2,
    "top_p": 0.9,
    "max_tokens": 50,
    "seed": 7,
    "stop": ["END"],
    "logit_bias": {"1": 2},
    "response_format": {"type": "json_schema", "json_schema": {"name": "output", "schema": {}}},
}
FINE = {"text": TEXT, "finish": "stop"}


@pytest.fixture
def house(outside: None, upstream: Upstream, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Sets up the scripted server as the provider `house`, with these options."""

    def serve(*scripts: Script, **options: Any) -> None:
        upstream.plays("odd", *scripts)
        provider = providers.Provider(upstream.base_url, "sk-house", 2.0, outbound.listed(), ModelOptions(**options))

        async def find(tenant_id: str, refs: set[str]) -> dict[str, providers.Provider]:
            return dict.fromkeys(refs, provider)

        monkeypatch.setattr(providers, "find", find)

    yield serve
    model_quirks.forget("acme", "house")


def openai(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def unsupported(field: str, instead: str = "") -> dict[str, Any]:
    message = f"Unsupported parameter: '{field}' is not supported with this model.{instead}"
    return openai(message, field, "unsupported_parameter")


def extra(*place: str) -> dict[str, Any]:
    """FastAPI's refusal of a field that it does not know."""
    return {"detail": [{"type": "extra_forbidden", "loc": ["body", *place], "msg": "Extra inputs are not permitted"}]}


def mistral(*place: str) -> dict[str, Any]:
    return {"object": "error", "message": extra(*place), "type": "invalid_request_error", "param": None, "code": None}


def azure_ai(*place: str) -> dict[str, Any]:
    return {"error": {"code": "Invalid input", "message": json.dumps(extra(*place)), "status": 422}}


def llama_cpp(sentence: str) -> dict[str, Any]:
    told = f"\n------------\nWhile executing CallExpression at line 19:\n^\nError: Jinja Exception: {sentence}"
    return {"error": {"code": 500, "message": told, "type": "server_error"}}


def brokered(inner: dict[str, Any]) -> dict[str, Any]:
    """OpenRouter's error around that of its own provider."""
    return {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": json.dumps(inner)}}}


def has(field: str) -> Any:
    return lambda sent: field in sent


def has_role(role: str) -> Any:
    return lambda sent: any(said["role"] == role for said in sent["messages"])


def streams(sent: Any) -> bool:
    return bool(sent.get("stream"))


def has_neighbours(sent: Any) -> bool:
    roles = [said["role"] for said in sent["messages"]]
    return any(one == other for one, other in pairwise(roles))


def begins_with_assistant(sent: Any) -> bool:
    return next(said["role"] for said in sent["messages"] if said["role"] != "system") == "assistant"


USE_OTHER = " Use 'max_completion_tokens' instead."
ALTERNATE = "Conversation roles must alternate user/assistant/user/assistant/..."
VERIFY = "Your organization must be verified to stream this model. Please go to: https://platform.example.com/settings"
ONLY_ONE = (
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."
)
SYSTEM_REFUSED = "Unsupported value: 'messages[0].role' does not support 'system' with this model."
SERDE = (
    "Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected"
)

# (what the server refuses, how it says so, with which status, the fields sent, what the accepted request holds)
REFUSED_FIELDS: dict[str, tuple[Any, Any, int, dict[str, Any], dict[str, Any]]] = {
    "stream_options, OpenAI": (has("stream_options"), unsupported("stream_options"), 400, {}, {"stream_options": None}),
    "stream_options, FastAPI": (has("stream_options"), extra("stream_options"), 422, {}, {"stream_options": None}),
    "stream_options, Azure AI": (
        has("stream_options"),
        azure_ai("stream_options", "include_usage"),
        400,
        {},
        {"stream_options": None, "stream": True},
    ),
    "stream_options, older Azure": (
        has("stream_options"),
        openai("Unrecognized request argument supplied: stream_options"),
        400,
        {},
        {"stream_options": None},
    ),
    "stream, OpenAI": (streams, openai(VERIFY, "stream", "unsupported_value"), 400, {}, {"stream": False}),
    "stream, in words": (streams, openai("Streaming is not supported for this model"), 400, {}, {"stream": False}),
    "stream, not built": (streams, b"streaming is not implemented", 501, {}, {"stream": False}),
    "max_tokens, OpenAI": (
        has("max_tokens"),
        unsupported("max_tokens", USE_OTHER),
        400,
        {"max_tokens": 9},
        {"max_tokens": None, "max_completion_tokens": 9},
    ),
    "max_tokens, a proxy without param": (
        has("max_tokens"),
        {
            "error": {
                "message": unsupported("max_tokens", USE_OTHER)["error"]["message"],
                "code": "invalid_request_body",
            }
        },
        400,
        {"max_tokens": 9},
        {"max_tokens": None, "max_completion_tokens": 9},
    ),
    "max_completion_tokens, Mistral": (
        has("max_completion_tokens"),
        mistral("max_completion_tokens"),
        422,
        {"max_completion_tokens": 9},
        {"max_completion_tokens": None, "max_tokens": 9},
    ),
    "max_completion_tokens, Azure AI": (
        has("max_completion_tokens"),
        azure_ai("max_completion_tokens"),
        400,
        {"max_completion_tokens": 9},
        {"max_completion_tokens": None, "max_tokens": 9},
    ),
    "temperature, OpenAI": (
        has("temperature"),
        openai(ONLY_ONE, "temperature", "unsupported_value"),
        400,
        {"temperature": 0.2},
        {"temperature": None},
    ),
    "temperature, Kimi": (
        has("temperature"),
        openai("invalid temperature: only 1 is allowed for this model"),
        400,
        {"temperature": 0.2},
        {"temperature": None},
    ),
    "temperature, Anthropic": (
        has("temperature"),
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "`temperature` is deprecated for this model."},
        },
        400,
        {"temperature": 0.2},
        {"temperature": None},
    ),
    "temperature, through a broker": (
        has("temperature"),
        brokered(openai(ONLY_ONE, "temperature")),
        400,
        {"temperature": 0.2},
        {"temperature": None},
    ),
    "temperature beside top_p": (
        lambda sent: {"temperature", "top_p"} <= sent.keys(),
        openai("`temperature` and `top_p` cannot both be specified for this model. Please use only one."),
        400,
        {"temperature": 0.2, "top_p": 0.9},
        {"temperature": 0.2, "top_p": None},
    ),
    "stop": (has("stop"), unsupported("stop"), 400, {"stop": ["END"]}, {"stop": None}),
    "seed, Gemini": (
        has("seed"),
        [{"error": {"code": 400, "message": 'Invalid JSON payload received. Unknown name "seed": Cannot find field.'}}],
        400,
        {"seed": 7},
        {"seed": None},
    ),
    "logit_bias, Groq": (
        has("logit_bias"),
        openai("property 'logit_bias' is not supported"),
        400,
        {"logit_bias": {"1": 2}},
        {"logit_bias": None},
    ),
    "system, OpenAI": (
        has_role("system"),
        openai(SYSTEM_REFUSED, "messages[0].role", "unsupported_value"),
        400,
        {},
        {"messages": [{"role": "user", "content": "Be kind.\n\nhello"}]},
    ),
    "system, Gemma in vLLM": (
        has_role("system"),
        {"object": "error", "message": "System role not supported", "type": "BadRequestError", "code": 400},
        400,
        {},
        {"messages": [{"role": "user", "content": "Be kind.\n\nhello"}]},
    ),
    "system, Gemma in llama.cpp": (
        has_role("system"),
        llama_cpp("System role not supported"),
        500,
        {},
        {"messages": [{"role": "user", "content": "Be kind.\n\nhello"}]},
    ),
    "system, where developer is asked for": (
        has_role("system"),
        openai("The 'system' role is not supported with this model. Use 'developer' instead."),
        400,
        {},
        {"messages": [{"role": "developer", "content": "Be kind."}, HELLO]},
    ),
}


@pytest.mark.parametrize("name", REFUSED_FIELDS)
async def test_a_refused_field_is_left_out_and_the_server_is_not_asked_that_way_again(
    house: Any, upstream: Upstream, name: str
) -> None:
    when, error, status, params, holds = REFUSED_FIELDS[name]
    house(refusing(when, error if isinstance(error, bytes) else json.dumps(error).encode(), status))
    for asked in (2, 3):
        assert await heard("odd", messages=TALK, params=params) == FINE
        assert len(upstream.requests) == asked
        sent = upstream.requests[-1].json
        assert {field: sent.get(field) for field in holds} == holds


ROLES = {
    "Hugging Face's templates in vLLM": ({"object": "error", "message": ALTERNATE, "code": 400}, 400),
    "llama.cpp": (llama_cpp(ALTERNATE), 500),
    "TGI": (
        {"error": f"Template error: invalid operation: {ALTERNATE} (in <string>:1)", "error_type": "template_error"},
        422,
    ),
    "Perplexity": (
        openai("After the (optional) system message(s), user and assistant roles should be alternating."),
        400,
    ),
    "Bedrock": ({"message": "A conversation must alternate between user and assistant roles. Try again."}, 400),
}


@pytest.mark.parametrize("name", ROLES)
async def test_two_messages_of_one_role_become_one_where_roles_must_take_turns(
    house: Any, upstream: Upstream, name: str
) -> None:
    house(refusing(has_neighbours, *ROLES[name]))
    assert await heard("odd", messages=TWO_IN_A_ROW) == FINE
    assert upstream.requests[-1].json["messages"] == [SYSTEM, {"role": "user", "content": "hello\n\nagain"}]


async def test_a_conversation_that_the_assistant_begins_gets_a_first_word(house: Any, upstream: Upstream) -> None:
    house(refusing(begins_with_assistant, openai("A conversation must start with a user message.")))
    assert await heard("odd", messages=[SYSTEM, {"role": "assistant", "content": "Hi!"}, HELLO]) == FINE
    assert [said["role"] for said in upstream.requests[-1].json["messages"]] == ["system", "user", "assistant", "user"]


async def test_a_server_that_refuses_one_field_after_the_other_is_asked_until_it_answers(
    house: Any, upstream: Upstream
) -> None:
    def strict(sent: Any) -> Any:
        return next((f for f in ("max_tokens", "temperature", "top_p", "stop", "stream_options") if f in sent), None)

    async def picky(wire: Any, seen: Any) -> None:
        field = strict(seen.json)
        await refusing(strict, unsupported(field or "none", USE_OTHER if field == "max_tokens" else ""))(wire, seen)

    house(picky)
    params = {name: ALL_FIELDS[name] for name in ("max_tokens", "temperature", "top_p", "stop")}
    assert await heard("odd", messages=TALK, params=params) == FINE
    assert upstream.requests[-1].json.keys() == {"model", "messages", "stream", "max_completion_tokens"}
    assert len(upstream.requests) == 6


async def test_a_server_that_refuses_for_ever_is_asked_a_few_times_at_most(house: Any, upstream: Upstream) -> None:
    house(
        giving(
            openai("Unsupported parameters: stream_options, max_tokens, max_completion_tokens, temperature, stream"),
            status=400,
        )
    )
    assert await heard("odd", messages=TALK, params=ALL_FIELDS) == {"fails": "rejected"}
    assert len(upstream.requests) <= 8


async def test_a_refusal_in_a_stream_is_a_refusal(house: Any, upstream: Upstream) -> None:
    error = {"error": {"object": "error", "message": "stream_options is not supported", "code": 400}}
    house(streaming(error, DONE), streaming(chunk(TEXT), chunk(finish="stop"), DONE))
    assert await heard("odd") == FINE


async def test_the_form_of_an_answer_is_never_left_out_unasked(house: Any, upstream: Upstream) -> None:
    house(
        giving(
            openai("This response_format type is unavailable now, it is not supported", "response_format"), status=400
        )
    )
    assert await heard("odd", params=ALL_FIELDS) == {"fails": "rejected"}
    assert len(upstream.requests) == 1


async def test_a_guess_that_did_not_help_is_not_remembered(house: Any, upstream: Upstream) -> None:
    house(giving(unsupported("temperature"), status=400))
    for _ in range(2):
        assert await heard("odd", params={"temperature": 0.2}) == {"fails": "rejected"}
    assert ["temperature" in seen.json for seen in upstream.requests] == [True, False, True, False]


async def test_what_one_model_refuses_is_still_asked_of_another(house: Any, upstream: Upstream) -> None:
    house(refusing(has("temperature"), unsupported("temperature")))
    upstream.plays("other", giving(completion()))
    await heard("odd", params={"temperature": 0.2})
    await heard("other", params={"temperature": 0.2})
    assert upstream.requests[-1].json["temperature"] == 0.2


def test_only_so_many_servers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_quirks, "MOST_REMEMBERED", 3)
    keys = [model_quirks.Remembered("acme", "house", "http://x", str(number)) for number in range(5)]
    asked, found = ModelOptions(), ModelOptions(stream=False)
    for key in keys:
        model_quirks.learn(key, asked, found)
    assert [model_quirks.recall(key, asked) == found for key in keys] == [False, False, True, True, True]
    model_quirks.forget("acme", "house")
    assert model_quirks.recall(keys[-1], asked) == asked


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"stream": False}, {"stream": False, "stream_options": None}),
    ({"stream_usage": False}, {"stream": True, "stream_options": None}),
    ({"max_tokens_field": "max_completion_tokens"}, {"max_tokens": None, "max_completion_tokens": 50}),
    ({"omit": ("temperature", "response_format")}, {"temperature": None, "response_format": None, "top_p": 0.9}),
    ({"system_role": "developer"}, {"messages": [{"role": "developer", "content": "Be kind."}, *TWO_IN_A_ROW[1:]]}),
    ({"system_role": "user"}, {"messages": [{"role": "user", "content": "Be kind.\n\nhello"}, TWO_IN_A_ROW[2]]}),
    ({"alternate_roles": True}, {"messages": [SYSTEM, {"role": "user", "content": "hello\n\nagain"}]}),
    (
        {"alternate_roles": True, "system_role": "user"},
        {"messages": [{"role": "user", "content": "Be kind.\n\nhello\n\nagain"}]},
    ),
]


@pytest.mark.parametrize(("options", "holds"), OPTIONS)
async def test_a_provider_is_asked_as_its_options_say(
    house: Any, upstream: Upstream, options: dict[str, Any], holds: dict[str, Any]
) -> None:
    house(refusing(lambda sent: False, {}), **options)
    assert await heard("odd", messages=TWO_IN_A_ROW, params=ALL_FIELDS) == FINE
    [seen] = upstream.requests
    assert {field: seen.json.get(field) for field in holds} == holds


WAIT = {"retry_after": "7"}
TOO_LONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."

# (status, body, headers, the reason, whether the next choice is asked)
NO_ANSWERS: dict[str, tuple[int, Any, dict[str, str], str, bool]] = {
    "401": (401, openai("Incorrect API key provided"), {}, "denied", True),
    "402": (402, {"error": {"message": "Insufficient Balance", "code": "invalid_request_error"}}, {}, "denied", True),
    "403": (403, openai("Country, region, or territory not supported"), {}, "denied", True),
    "404, Ollama": (404, openai('model "x" not found, try pulling it first'), {}, "missing", True),
    "404, no such path": (404, b"404 page not found", {}, "missing", True),
    "405": (405, b"", {}, "missing", True),
    "408": (408, b"", {}, "timed_out", True),
    "410": (410, b"gone", {}, "missing", True),
    "429": (429, openai("Rate limit reached", code="rate_limit_exceeded"), WAIT, "rate_limited", True),
    "429 for good": (
        429,
        openai("You exceeded your current quota", code="insufficient_quota"),
        {},
        "quota_exhausted",
        True,
    ),
    "500": (500, b"Internal Server Error", {}, "upstream_failed", True),
    "500 about messages": (500, openai("System error processing message"), {}, "upstream_failed", True),
    "502": (502, b"<html><title>Bad Gateway</title>", {}, "upstream_failed", True),
    "503": (503, openai("Loading model"), WAIT, "overloaded", True),
    "504": (504, b"", {}, "timed_out", True),
    "529, Anthropic": (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}, {}, "overloaded", True),
    "304": (304, b"", {}, "upstream_failed", True),
    "400": (400, openai("Invalid 'messages[1].content': expected a string"), {}, "rejected", False),
    "422": (422, {"detail": "messages is malformed"}, {}, "rejected", False),
    "413": (413, b"Request Entity Too Large", {}, "too_long", False),
    "413, Groq": (413, openai("Request too large for model", code="rate_limit_exceeded"), {}, "too_long", False),
    "too long, OpenAI": (400, openai(TOO_LONG, "messages", "context_length_exceeded"), {}, "too_long", False),
    "too long, vLLM": (400, {"object": "error", "message": TOO_LONG, "code": 400}, {}, "too_long", False),
    "too long, llama.cpp": (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size",
                "type": "exceed_context_size_error",
            }
        },
        {},
        "too_long",
        False,
    ),
    "too long, Anthropic": (400, openai("prompt is too long: 208310 tokens > 199999 maximum"), {}, "too_long", False),
    "too long, Mistral": (
        400,
        {
            "object": "error",
            "message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
        },
        {},
        "too_long",
        False,
    ),
    "too long, TGI": (
        422,
        {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000"},
        {},
        "too_long",
        False,
    ),
    "too long, LM Studio": (
        400,
        {"error": "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with"},
        {},
        "too_long",
        False,
    ),
    "too long, Gemini": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (9) exceeds the maximum number of tokens allowed (8).",
                }
            }
        ],
        {},
        "too_long",
        False,
    ),
    "filtered, Azure": (
        400,
        openai(
            "The response was filtered due to the prompt triggering Azure's content management policy",
            code="content_filter",
        ),
        {},
        "filtered",
        False,
    ),
    "a bad key, Gemini": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "API key not valid. Please pass a valid API key.",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        {},
        "denied",
        True,
    ),
    "no credit, Anthropic": (400, openai("Your credit balance is too low to access the API."), {}, "denied", True),
    "no such model, Mistral": (
        400,
        {"object": "error", "message": "Invalid model: x", "code": "1500"},
        {},
        "missing",
        True,
    ),
    "no such model, DeepSeek": (400, openai("Model Not Exist"), {}, "missing", True),
    "no such model, OpenRouter": (
        400,
        {"error": {"message": "x/y is not a valid model ID", "code": 400}},
        {},
        "missing",
        True,
    ),
    "no such model, Groq": (
        400,
        openai("The model has been decommissioned", code="model_decommissioned"),
        {},
        "missing",
        True,
    ),
    "an error with 200": (200, {"error": {"message": "Provider is overloaded", "code": 503}}, {}, "overloaded", True),
    "an error with 200, in words": (200, {"detail": "Internal Server Error"}, {}, "upstream_failed", True),
    "an empty body": (200, b"", {}, "upstream_failed", True),
    "a page": (200, b"\n<!doctype html><title>Sign in</title>", {}, "upstream_failed", True),
    "a number": (200, b"7", {}, "upstream_failed", True),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
async def test_what_is_the_providers_own_trouble_leads_to_the_next_choice(
    house: Any, upstream: Upstream, name: str
) -> None:
    status, body, headers, reason, goes_on = NO_ANSWERS[name]
    house(giving(body if isinstance(body, bytes) else json.dumps(body).encode(), status=status, **headers))
    assert await heard("odd") == {"fails": reason}
    assert await heard("odd", "well") == (FINE if goes_on else {"fails": reason})


async def failed(*models: str, **more: Any) -> ServiceFailed:
    with pytest.raises(ServiceFailed) as caught:
        async for _ in stream(*models, **more):
            pass
    return caught.value


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry_after": "7"}, 7, 7),
        ({"retry_after": "0.5"}, 0.5, 0.5),
        ({"retry_after_ms": "1500", "retry_after": "2"}, 1.5, 1.5),
        ({"retry_after": formatdate(2_000_000_000, usegmt=True)}, 86_400, 86_400),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0, 0),
    ],
)
async def test_a_server_says_how_long_to_wait(house: Any, headers: dict[str, str], least: float, most: float) -> None:
    house(giving(b"{}", status=429, **headers))
    wait = (await failed("odd")).retry_after_s
    assert wait is not None
    assert least <= wait <= most


@pytest.mark.parametrize(
    ("wait", "kept"), [("", None), ("soon", None), ("-1", None), ("1e9", None), ("9" * 400, 86_400)]
)
async def test_a_wait_that_is_none_is_passed_over(house: Any, wait: str, kept: float | None) -> None:
    house(giving(b"{}", status=429, retry_after=wait))
    assert (await failed("odd")).retry_after_s == kept


async def test_a_wait_in_the_body_counts(house: Any) -> None:
    house(giving(b'[{"error": {"code": 429, "details": [{"retryDelay": "15s"}]}}]', status=429))
    assert (await failed("odd")).retry_after_s == 15


@pytest.mark.parametrize(
    "secret",
    [
        "sk-house",
        "Bearer abcdefgh1234",
        "sk-proj-1234567890abcdef",
        "sk-pro*****cdef",
        "gsk_1234567890",
        "0123456789abcdef" * 2,
    ],
)
async def test_what_a_server_says_is_kept_without_secrets_and_short(house: Any, secret: str) -> None:
    house(giving(openai(f"Incorrect API key provided: {secret}.\r\nLook\x1b[31m here. " + "x y " * 500), status=401))
    said = (await failed("odd")).said
    assert secret not in said
    assert said.startswith("house/odd: 401 invalid_request_error: Incorrect API key provided: [secret]")
    assert said.isprintable()
    assert len(said) < 400


async def test_every_choice_says_its_own(house: Any, upstream: Upstream) -> None:
    house(giving(openai("first"), status=500))
    upstream.plays("other", giving(openai("second"), status=401))
    error = await failed("odd", "other")
    assert (error.reason, "first" in error.said, "second" in error.said) == ("upstream_failed", True, True)


def spoken(*pieces: str | bytes, finish: str | None = "stop", **delta: Any) -> Script:
    """A stream of these texts; a text in bytes is the inside of a JSON string."""
    raw = [
        b'data: {"choices": [{"index": 0, "delta": {"content": "' + piece + b'"}}]}\n\n'
        for piece in map(inside, pieces)
    ]
    return streaming(chunk(""), *raw, chunk(finish=finish, **delta), DONE)


def inside(piece: str | bytes) -> bytes:
    return piece if isinstance(piece, bytes) else json.dumps(piece)[1:-1].encode()


STREAM = (
    b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in (chunk(TEXT), chunk(finish="stop"))) + DONE
)
LINES = b"\n".join(
    json.dumps(event).encode() for event in (chunk("Hello from "), chunk("far away."), chunk(finish="stop"))
)

# (how the server answers, the options, what is heard)
ANSWERS: dict[str, tuple[Script, dict[str, Any], dict[str, str]]] = {
    "JSON under text/event-stream": (giving(completion(), kind="text/event-stream"), {}, FINE),
    "JSON under text/plain": (giving(completion(), kind="text/plain"), {}, FINE),
    "JSON behind a mark and blank lines": (giving(b"\xef\xbb\xbf\n\n" + json.dumps(completion()).encode()), {}, FINE),
    "a stream under application/json": (giving(STREAM), {}, FINE),
    "a stream under no type": (giving(b": hi\n\n" + STREAM, kind=""), {}, FINE),
    "an object a line": (giving(LINES, kind="application/x-ndjson"), {}, FINE),
    "gzip": (giving(gzip.compress(STREAM), kind="text/event-stream", content_encoding="gzip"), {}, FINE),
    "gzip that nothing announces": (giving(gzip.compress(json.dumps(completion()).encode())), {}, FINE),
    "gzip that is announced and none": (giving(completion(), content_encoding="gzip"), {}, FINE),
    "a whole answer in a stream": (streaming(completion(), DONE), {}, FINE),
    "no finish reason": (giving(completion(finish=None)), {}, FINE),
    "a pair in two chunks": (spoken("a", rb"\ud83d", rb"\ude00", "b"), {}, {"text": "a😀b", "finish": "stop"}),
    "half a pair": (spoken(rb"a\ud83d", "b"), {}, {"text": "a�b", "finish": "stop"}),
    "half a pair at the end": (spoken("a", rb"\ud83d"), {}, {"text": "a�", "finish": "stop"}),
    "the other half alone": (spoken(rb"\ude00b"), {}, {"text": "�b", "finish": "stop"}),
    "bytes of a character in two chunks": (spoken(b"a\xf0\x9f", b"\x98\x80b"), {}, {"text": "a😀b", "finish": "stop"}),
    "a bad byte": (spoken(b"a\xffb"), {}, {"text": "a�b", "finish": "stop"}),
    "a bad byte in a whole answer": (
        giving(json.dumps(completion("a~b")).encode().replace(b"~", b"\xff")),
        {},
        {"text": "a�b", "finish": "stop"},
    ),
    "a bare line end in a text": (
        giving(json.dumps(completion("a~b")).encode().replace(b"~", b"\n")),
        {},
        {"text": "a\nb", "finish": "stop"},
    ),
    "content in parts": (
        giving(completion([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])),
        {},
        {"text": "ab", "finish": "stop"},
    ),
    "text where older servers have it": (
        giving({"choices": [{"index": 0, "text": TEXT, "finish_reason": "stop"}]}),
        {},
        FINE,
    ),
    "a second choice": (
        streaming({"choices": [{"index": 1, "delta": {"content": "no"}}]}, chunk(TEXT), chunk(finish="stop"), DONE),
        {},
        FINE,
    ),
    "content_filter behind text": (
        spoken("Well", finish="content_filter"),
        {},
        {"text": "Well", "finish": "content_filter"},
    ),
    "SAFETY, Gemini": (giving(completion("Well", "SAFETY")), {}, {"text": "Well", "finish": "content_filter"}),
    "content_filter alone": (giving(completion(None, "content_filter")), {}, {"fails": "filtered"}),
    "a refusal": (giving(completion(None, refusal="I cannot.")), {}, {"refusal": "I cannot.", "finish": "stop"}),
    "a refusal in a stream": (
        streaming(chunk(refusal="I "), chunk(refusal="cannot."), chunk(finish="stop"), DONE),
        {},
        {"refusal": "I cannot.", "finish": "stop"},
    ),
    "length, Mistral": (giving(completion("Well", "model_length")), {}, {"text": "Well", "finish": "length"}),
    "an end by a word of its own": (giving(completion("Well", "eos_token")), {}, {"text": "Well", "finish": "stop"}),
    "broken off": (giving(completion("Well", "error")), {}, {"text": "Well", "fails": "upstream_failed"}),
    "calls of tools alone": (
        giving(completion(None, "tool_calls", tool_calls=[{"id": "1"}])),
        {},
        {"fails": "no_text"},
    ),
    "no text": (giving(completion("")), {}, {"fails": "no_text"}),
    "white space alone": (spoken(" ", "\n"), {}, {"fails": "no_text"}),
    "no text in a stream, LM Studio": (spoken(), {}, {"fails": "no_text"}),
    "thinking alone": (giving(completion("<think>Well", "length")), {}, {"fails": "no_text"}),
    "thinking in tags": (spoken("<th", "ink>Hm", "m.</thi", "nk>\n\n", "Yes."), {}, {"text": "Yes.", "finish": "stop"}),
    "thinking in tags, whole": (
        giving(completion("<think>\nHm.\n</think>\n\nYes.")),
        {},
        {"text": "Yes.", "finish": "stop"},
    ),
    "thinking twice": (
        giving(completion("<think>a</think>\n<think>b</think>Yes.")),
        {},
        {"text": "Yes.", "finish": "stop"},
    ),
    "thinking whose beginning the template has": (
        giving(completion("Hm.\n</think>\nYes.")),
        {},
        {"text": "Yes.", "finish": "stop"},
    ),
    "the same in a stream": (
        spoken("H", "m.</th", "ink>", "Yes."),
        {"starts_thinking": True},
        {"text": "Yes.", "finish": "stop"},
    ),
    "an answer without the thinking that was expected": (
        spoken("Y", "es."),
        {"starts_thinking": True},
        {"text": "Yes.", "finish": "stop"},
    ),
    "thinking, Magistral": (giving(completion("[THINK]Hm.[/THINK]Yes.")), {}, {"text": "Yes.", "finish": "stop"}),
    "thinking in parts, Magistral": (
        giving(
            completion(
                [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Yes."}]
            )
        ),
        {"thinking": "pass"},
        {"text": "Yes.", "thought": "Hm.", "finish": "stop"},
    ),
    "thinking, gpt-oss": (
        giving(completion("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.")),
        {},
        {"text": "Yes.", "finish": "stop"},
    ),
    "thinking apart, hidden": (
        giving(completion("Yes.", reasoning_content="Hm.")),
        {},
        {"text": "Yes.", "finish": "stop"},
    ),
    "thinking apart, passed on": (
        streaming(chunk(reasoning_content="Hm"), chunk(reasoning="m."), chunk("Yes."), chunk(finish="stop"), DONE),
        {"thinking": "pass"},
        {"text": "Yes.", "thought": "Hmm.", "finish": "stop"},
    ),
    "thinking in tags, passed on": (
        spoken("<think>H", "m.</think>Yes."),
        {"thinking": "pass"},
        {"text": "Yes.", "thought": "Hm.", "finish": "stop"},
    ),
    "thinking in tags, kept": (
        spoken("<think>H", "m.</think>Yes."),
        {"thinking": "keep"},
        {"text": "<think>Hm.</think>Yes.", "finish": "stop"},
    ),
    "a tag inside an answer": (
        spoken("Write <think>", " and </think>."),
        {},
        {"text": "Write <think> and </think>.", "finish": "stop"},
    ),
    "something like a tag": (spoken("<thi", "s> one"), {}, {"text": "<this> one", "finish": "stop"}),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_understood_in_whatever_form_it_comes(house: Any, name: str) -> None:
    script, options, expected = ANSWERS[name]
    house(script, **options)
    assert await heard("odd") == expected


@pytest.mark.parametrize("name", [name for name, row in ANSWERS.items() if "fails" in row[2] and "text" not in row[2]])
async def test_an_answer_without_a_word_leads_to_the_next_choice(house: Any, name: str) -> None:
    house(ANSWERS[name][0])
    assert await heard("odd", "well") == FINE


async def test_a_kept_connection_that_ends_as_it_is_reused_costs_nothing(house: Any, upstream: Upstream) -> None:
    house(giving(b""))
    for _ in range(3):
        assert await heard("closes-when-reused") == FINE
    assert len(upstream.requests) == 5


@pytest.mark.parametrize("tail", ["", "/", "/chat/completions", "/chat/completions/", "/Chat/Completions"])
async def test_the_address_of_the_chat_is_never_doubled(upstream: Upstream, tail: str) -> None:
    assert providers.chat_url(f"{upstream.base_url}{tail}") == f"{upstream.base_url}/chat/completions"
    assert providers.models_url(f"{upstream.base_url}{tail}") == f"{upstream.base_url}/models"
