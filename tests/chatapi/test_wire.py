"""The error and parameter tables of the wire, row by row, through both doors."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from openai import NotFoundError, OpenAI

from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import HELLO, call, error, frames, hello
from tests.support.serving import Server

USER = {"role": "user", "content": "hello"}


@pytest.fixture
def key(ann: User, echo: Core, key_of: Callable[[User], str]) -> str:
    return key_of(ann)


NOT_JSON = {
    "empty": b"",
    "text": b"hello",
    "a list": b"[1]",
    "a number": b"1",
    "null": b"null",
    "cut off": b'{"model": "x"',
    "NaN": b'{"model": NaN}',
    "infinity": b'{"model": Infinity}',
    "too large a number": b'{"model": 1e999}',
    "a lone surrogate": b'{"model": "\\ud800"}',
    "a NUL": b'{"model": "a\\u0000b"}',
    "65 levels": b'{"a":' * 65 + b"1" + b"}" * 65,
    "100,000 levels": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "not UTF-8": b'{"model": "\xff"}',
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_no_usable_json_is_400(server: Server, key: str, body: bytes) -> None:
    answer = call(server, key, body)
    assert answer.status_code == 400
    assert error(answer)["code"] == "invalid_json"


def test_a_body_that_is_no_json_is_told_where_it_breaks(server: Server, key: str) -> None:
    message = "This is not valid JSON: invalid character (byte 10)."
    assert error(call(server, key, b'{"model": x}'))["message"] == message
    assert error(call(server, key, b'{"model": "\xff"}'))["message"] == "This is not valid JSON: not UTF-8 (byte 11)."


MISSING = "missing_required_parameter"
UNSUPPORTED = "unsupported_parameter"


def _parts(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"model": None}, "model", "invalid_type"),
    ({"model": 5}, "model", "invalid_type"),
    ({"messages": "hello"}, "messages", "invalid_type"),
    ({"messages": []}, "messages", "invalid_value"),
    ({"messages": [5]}, "messages[0]", "invalid_type"),
    ({"messages": [USER, USER, {"role": "boss", "content": "x"}]}, "messages[2].role", "invalid_value"),
    ({"messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
    (
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        "messages[0].content[0].text",
        "missing_required_parameter",
    ),
    (_parts({"type": "text", "text": "x"}, {"type": "text"}), "messages[0].content[1].text", MISSING),
    (_parts({"type": "refusal"}), "messages[0].content[0].refusal", MISSING),
    (_parts({"text": "x"}), "messages[0].content[0].type", MISSING),
    (_parts({"type": "song", "text": "x"}), "messages[0].content[0].type", "invalid_value"),
    (_parts(), "messages[0].content", "invalid_value"),
    (_parts({"type": "image_url", "image_url": {"url": "data:,"}}), "messages[0].content[0]", UNSUPPORTED),
    (_parts({"type": "text", "text": "x"}, {"type": "input_audio"}), "messages[0].content[1]", UNSUPPORTED),
    ({"messages": [USER, _parts({"type": "file"})["messages"][0], USER]}, "messages[1].content[0]", UNSUPPORTED),
    ({"messages": [{"role": "assistant", "content": "x"}]}, "messages", "invalid_value"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages", "invalid_value"),
    ({"stream": "yes"}, "stream", "invalid_type"),
    ({"temperature": 2.1}, "temperature", "invalid_value"),
    ({"temperature": "1"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"top_p": -0.1}, "top_p", "invalid_value"),
    ({"presence_penalty": 3}, "presence_penalty", "invalid_value"),
    ({"max_tokens": 0}, "max_tokens", "invalid_value"),
    ({"max_completion_tokens": 0}, "max_completion_tokens", "invalid_value"),
    ({"max_tokens": -1}, "max_tokens", "invalid_value"),
    ({"metadata": {str(n): "x" for n in range(17)}}, "metadata", "invalid_value"),
    ({"metadata": {"k" * 65: "x"}}, "metadata", "invalid_value"),
    ({"metadata": {"k": "x" * 513}}, "metadata", "invalid_value"),
    ({"safety_identifier": "x" * 65}, "safety_identifier", "invalid_value"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "invalid_value"),
    ({"stop": [1]}, "stop[0]", "invalid_type"),
    ({"entity_id": ""}, "entity_id", "invalid_value"),
    ({"entity_id": "x" * 129}, "entity_id", "invalid_value"),
    ({"entity_id": "a\nb"}, "entity_id", "invalid_value"),
    ({"entity_id": 5}, "entity_id", "invalid_type"),
    ({"n": 0}, "n", "invalid_value"),
    ({"n": 2}, "n", "unsupported_parameter"),
    ({"logprobs": True}, "logprobs", "unsupported_parameter"),
    ({"tool_choice": "required"}, "tool_choice", "unsupported_parameter"),
    ({"tool_choice": {"type": "function"}}, "tool_choice", "unsupported_parameter"),
    ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
    ({"audio": {"voice": "alloy"}}, "audio", "unsupported_parameter"),
    ({"modalities": ["text", "audio"]}, "modalities", "unsupported_parameter"),
    ({"web_search_options": {}}, "web_search_options", "unsupported_parameter"),
]


@pytest.mark.parametrize(("fields", "param", "code"), BAD_FIELDS, ids=lambda value: json.dumps(value)[:40])
def test_a_bad_field_is_400_and_named(server: Server, key: str, fields: dict[str, Any], param: str, code: str) -> None:
    answer = call(server, key, hello(**fields))
    assert answer.status_code == 400
    found = error(answer)
    assert (found["param"], found["code"], found["type"]) == (param, code, "invalid_request_error")


SPOKEN_WITHOUT_A_USER = [
    ([("developer", "hello")], "hello"),
    ([("system", "first"), ("developer", "last")], "last"),
    ([("developer", "first"), ("system", "last"), ("assistant", "x")], "last"),
    ([("user", "hello"), ("system", "later")], "hello"),
]


@pytest.mark.parametrize(("turns", "heard"), SPOKEN_WITHOUT_A_USER)
def test_without_a_user_the_last_instruction_is_what_the_core_hears(
    server: Server, key: str, turns: list[tuple[str, str]], heard: str
) -> None:
    messages = [{"role": role, "content": text} for role, text in turns]
    answer = call(server, key, hello(messages=messages))
    assert answer.json()["choices"][0]["message"]["content"] == heard


def test_what_an_assistant_refused_is_a_text_of_the_conversation(server: Server, key: str) -> None:
    refused = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert call(server, key, hello(messages=[USER, refused, USER])).status_code == 200


@pytest.mark.parametrize("header", ["x-entity-id", "idempotency-key"])
def test_an_empty_header_counts_as_not_sent(server: Server, key: str, header: str) -> None:
    assert call(server, key, **{header: ""}).status_code == 200


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085"])
@pytest.mark.parametrize("is_streamed", [True, False])
def test_no_answer_holds_a_line_end_that_some_clients_cut_at(
    server: Server, key: str, mark: str, is_streamed: bool
) -> None:
    said = f"a{mark}b"
    answer = call(server, key, hello(stream=is_streamed, messages=[{"role": "user", "content": said}]))
    assert mark.encode() not in answer.content
    assert f"a\\u{ord(mark):04x}b".encode() in answer.content
    assert len(answer.text.splitlines()) == answer.text.count("\n") + (not is_streamed)


@pytest.mark.parametrize("name", ["model", "messages"])
def test_a_missing_field_is_named(server: Server, key: str, name: str) -> None:
    answer = call(server, key, {field: value for field, value in HELLO.items() if field != name})
    assert (answer.status_code, error(answer)["param"]) == (400, name)
    assert error(answer)["code"] == "missing_required_parameter"


def test_a_stranger_learns_nothing_about_the_body(server: Server, echo: Core) -> None:
    assert call(server, "sgk_wrong", b"[1]").status_code == 401
    assert call(server, None, b"x", **{"content-type": "text/plain"}).status_code == 401


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_that_is_not_declared_as_json_is_415(server: Server, key: str, media_type: str) -> None:
    answer = call(server, key, **{"content-type": media_type})
    assert (answer.status_code, error(answer)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "*/*", "text/html", "image/png"])
def test_accept_is_ignored(server: Server, key: str, accept: str) -> None:
    assert call(server, key, accept=accept).status_code == 200


def test_a_body_that_declares_too_great_a_length_is_refused_before_it_is_sent(
    transactional_db: None, lean_server: Server, key: str
) -> None:
    where = urlsplit(lean_server.url)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 30000000\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_of_30_mb_is_413(server: Server, key: str) -> None:
    answer = call(server, key, b'{"model": "' + b"x" * 30_000_000 + b'"}')
    assert (answer.status_code, error(answer)["code"]) == (413, "request_too_large")


def test_a_body_that_hides_its_length_is_413_as_well(server: Server, key: str) -> None:
    def chunks() -> Any:
        for _ in range(30):
            yield b" " * 1_000_000

    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    answer = requests.post(f"{server.v1}/chat/completions", data=chunks(), headers=headers, timeout=30)
    assert answer.status_code == 413


def test_the_wrong_method_is_405_and_unknown_urls_are_404_in_the_same_envelope(server: Server, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    wrong = requests.put(f"{server.v1}/chat/completions", headers=headers, timeout=30)
    assert (wrong.status_code, error(wrong)["code"], wrong.headers["allow"]) == (
        405,
        "method_not_allowed",
        "GET, POST, HEAD",
    )
    for url in ("/v1", "/v1/", "/v1/embeddings", "/v1/chat", "/oai/v1/nothing"):
        unknown = requests.post(server.url + url, headers=headers, timeout=30)
        assert (unknown.status_code, error(unknown)["code"]) == (404, "unknown_url")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/embeddings", "Embeddings are not served."),
        ("/v1/completions", "Completions of a prompt are not served."),
        ("/oai/v1/audio/speech", "Speech is not served."),
        ("/v1/images/generations", "The making of images is not served."),
        ("/v1/nothing", "This URL is not served."),
        ("/v1/responses/compact", "This URL is not served."),
    ],
)
def test_an_endpoint_that_is_not_served_says_what_is(server: Server, key: str, path: str, said: str) -> None:
    answer = requests.post(server.url + path, headers={"authorization": f"Bearer {key}"}, json={}, timeout=30)
    assert (answer.status_code, error(answer)["code"]) == (404, "unknown_url")
    assert error(answer)["message"].startswith(said)
    assert all(served in error(answer)["message"] for served in ("`POST /v1/chat/completions`", "`POST /v1/responses`"))


def test_an_sdk_that_asks_for_embeddings_reads_what_is_served(server: Server, key: str) -> None:
    client = OpenAI(base_url=server.v1, api_key=key, max_retries=0)
    with pytest.raises(NotFoundError, match="Embeddings are not served"):
        client.embeddings.create(model="scaicore/acme/echo-agent", input="hello")


def test_a_trailing_slash_changes_nothing(server: Server, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    for url in ("/v1/chat/completions/", "/oai/v1/chat/completions/"):
        assert requests.post(server.url + url, json=HELLO, headers=headers, timeout=30).status_code == 200
    assert requests.get(f"{server.v1}/models/", headers=headers, timeout=30).status_code == 200


@pytest.mark.parametrize("name", ["scaicore/acme/echo-agent", "scaicore%2Facme%2Fecho-agent"])
def test_a_model_is_found_with_its_slashes_raw_or_encoded(server: Server, key: str, name: str) -> None:
    answer = requests.get(f"{server.v1}/models/{name}", headers={"authorization": f"Bearer {key}"}, timeout=30)
    model = answer.json()
    assert (model["id"], model["object"], model["owned_by"]) == ("scaicore/acme/echo-agent", "model", "acme")


def test_what_is_ignored_is_named_and_fails_nothing(server: Server, key: str) -> None:
    answer = call(server, key, hello(store=True, service_tier="auto", nonsense={"a": 1}, temperature=1))
    assert answer.status_code == 200
    assert answer.headers["x-scai-ignored-params"] == "service_tier,nonsense"
    assert "x-scai-ignored-params" not in call(server, key).headers


def test_a_header_cannot_be_smuggled_in_by_a_field_name(server: Server, key: str) -> None:
    answer = call(server, key, hello(**{"x\r\nset-cookie: a=b": 1}))
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


def test_every_answer_has_a_request_id(server: Server, key: str) -> None:
    answers = [call(server, key), call(server, None), call(server, key, b"["), requests.get(server.v1, timeout=30)]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 4
    assert all(found.startswith("req_") for found in ids)


def test_the_frames_of_a_stream_are_in_the_order_that_clients_expect(server: Server, key: str) -> None:
    answer = call(server, key, hello(stream=True, stream_options={"include_usage": True}))
    assert answer.headers["content-type"] == "text/event-stream"
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
    first, *middle, end, usage, done = frames(answer)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(frame["choices"][0]["delta"]["content"] for frame in middle) == "hello"
    assert (end["choices"][0]["delta"], end["choices"][0]["finish_reason"]) == ({}, "stop")
    assert (usage["choices"], usage["usage"]["total_tokens"], done) == ([], 2, "[DONE]")
    assert all(frame["usage"] is None and frame["object"] == "chat.completion.chunk" for frame in (first, *middle, end))


def test_usage_is_absent_from_a_stream_that_did_not_ask(server: Server, key: str) -> None:
    assert all("usage" not in frame for frame in frames(call(server, key, hello(stream=True)))[:-1])


def test_a_refused_stream_is_an_http_error_not_a_stream(server: Server, key: str) -> None:
    answer = call(server, key, hello(stream=True, model="scaicore/acme/nothing"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_reply_is_cut_at_a_stop_sequence(server: Server, key: str, is_streamed: bool) -> None:
    messages = [{"role": "user", "content": "one END two"}]
    answer = call(server, key, hello(messages=messages, stop=["END", "zzz"], stream=is_streamed))
    if is_streamed:
        text = "".join(frame["choices"][0]["delta"].get("content", "") for frame in frames(answer)[:-1])
    else:
        text = answer.json()["choices"][0]["message"]["content"]
    assert text == "one "


def test_what_a_caller_claims_about_identity_steers_nothing(
    server: Server, bo: User, narrow_echo: Core, key_of: Callable[[User], str]
) -> None:
    claims = {"x-forwarded-user": "ann@acme.test", "openai-organization": "acme", "cookie": "sessionid=x"}
    body = hello(user="ann@acme.test", metadata={"user": "ann"}, api_base="http://x", base_url="http://x")
    assert call(server, key_of(bo), body, **claims).status_code == 403
