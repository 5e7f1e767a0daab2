"""What callers read of what model servers answer: replies, refusals, thinking, failures, and what is counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from openai import BadRequestError, InternalServerError, OpenAI, RateLimitError

from chatapi.models import RunTrace, UsageRecord
from identity.models import User
from tests.chatapi.test_usage import recorded
from tests.support.chat_calls import call, error, frames, hello
from tests.support.serving import Server
from tests.support.thinking_flows import assistant, deployed, node
from tests.support.upstream import Upstream
from tests.support.upstream_answers import DONE, TEXT, chunk, completion, giving, streaming

NAME = "scaicore/acme/assistant"
KeyOf = Callable[[User], str]


def ask(server: Server, key: str, **fields: Any) -> requests.Response:
    return call(server, key, hello(model=NAME, **fields))


def told(answer: requests.Response) -> tuple[dict[str, Any], str]:
    """The message of a whole answer, and its finish reason."""
    assert answer.status_code == 200, answer.text
    choice = answer.json()["choices"][0]
    return choice["message"], choice["finish_reason"]


def heard(answer: requests.Response) -> tuple[dict[str, str], str]:
    """The message that a stream makes, and its finish reason."""
    message: dict[str, str] = {}
    reasons = []
    answer.encoding = "utf-8"
    for frame in frames(answer)[:-1]:
        for choice in frame["choices"]:
            for field, text in choice["delta"].items():
                message[field] = message.get(field, "") + text
            reasons.append(choice["finish_reason"])
    return message, reasons[-1]


REFUSAL = "I cannot help with that."
REPLIES: dict[str, tuple[Any, dict[str, Any], dict[str, Any], str]] = {
    "a filter behind text": (giving(completion("Well", "content_filter")), {}, {"content": "Well"}, "content_filter"),
    "a limit": (giving(completion("Well", "length")), {}, {"content": "Well"}, "length"),
    "a refusal": (giving(completion(None, refusal=REFUSAL)), {}, {"content": None, "refusal": REFUSAL}, "stop"),
    "a refusal by a filter": (
        streaming(chunk(refusal="I cannot "), chunk(refusal="help with that."), chunk(finish="content_filter"), DONE),
        {},
        {"content": None, "refusal": REFUSAL},
        "content_filter",
    ),
    "thinking, hidden": (giving(completion("<think>Hm.</think>Yes.")), {}, {"content": "Yes."}, "stop"),
    "thinking, passed on": (
        streaming(chunk(reasoning_content="Hm."), chunk("Yes."), chunk(finish="stop"), DONE),
        {"thinking": "pass"},
        {"content": "Yes.", "reasoning_content": "Hm."},
        "stop",
    ),
    "half a character": (
        streaming(chunk("\ud83d"), chunk("\ude00"), chunk(finish="stop"), DONE),
        {},
        {"content": "😀"},
        "stop",
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_is_handed_on_with_its_reason_its_refusal_and_its_thinking(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, name: str
) -> None:
    script, options, expected, reason = REPLIES[name]
    models.plays("odd", script)
    assistant(root, "odd", options=options)
    key = key_of(ann)
    assert told(ask(thinking, key)) == ({"role": "assistant", "refusal": None, **expected}, reason)
    message, streamed_reason = heard(ask(thinking, key, stream=True))
    wanted = {name: text for name, text in expected.items() if text is not None}
    assert ({name: text for name, text in message.items() if name != "role" and text}, streamed_reason) == (
        wanted,
        reason,
    )


def refused(status: int, message: str = "no", code: str | None = None, **headers: str) -> Any:
    body = {"error": {"message": message, "type": "x", "code": code}}
    return giving(json.dumps(body).encode(), status=status, **headers)


LONG = "This model's maximum context length is 8192 tokens."
# (what the provider answers, the status and code that a caller reads, Retry-After, x-should-retry)
FAILURES: dict[str, tuple[Any, int, str, str | None, str | None]] = {
    "429 with a time": (refused(429, retry_after="7"), 429, "rate_limit_exceeded", "7", None),
    "429 with half a second": (refused(429, retry_after="0.5"), 429, "rate_limit_exceeded", "1", None),
    "429 with an hour": (refused(429, retry_after="3600"), 429, "rate_limit_exceeded", "60", None),
    "429 without a time": (refused(429), 429, "rate_limit_exceeded", "2", None),
    "429 for good": (refused(429, code="insufficient_quota"), 429, "insufficient_quota", None, "false"),
    "503 with a time": (refused(503, retry_after="9"), 503, "model_overloaded", "9", None),
    "529": (refused(529), 503, "model_overloaded", "2", None),
    "400, too long": (refused(400, LONG), 400, "context_length_exceeded", None, "false"),
    "400, too long by code": (
        refused(400, code="context_length_exceeded"),
        400,
        "context_length_exceeded",
        None,
        "false",
    ),
    "400, filtered": (refused(400, code="content_filter"), 400, "content_filter", None, "false"),
    "an empty answer of a filter": (giving(completion(None, "content_filter")), 400, "content_filter", None, "false"),
    "400": (refused(400), 502, "core_error", None, "false"),
    "401": (refused(401), 502, "core_error", None, "false"),
    "403": (refused(403), 502, "core_error", None, "false"),
    "404": (refused(404), 502, "core_error", None, "false"),
    "500": (refused(500), 502, "core_error", None, None),
    "no text": (giving(completion("")), 502, "core_error", None, None),
    "calls of tools alone": (giving(completion(None, "tool_calls")), 502, "core_error", None, None),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_caller_reads_what_failed_and_whether_to_try_again(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, name: str, is_streamed: bool
) -> None:
    script, status, code, wait, again = FAILURES[name]
    models.plays("odd", script)
    assistant(root, "odd")
    answer = ask(thinking, key_of(ann), stream=is_streamed)
    assert (answer.status_code, error(answer)["code"]) == (status, code)
    assert (answer.headers.get("retry-after"), answer.headers.get("x-should-retry")) == (wait, again)
    assert recorded(1)[0].outcome == "failed"


@pytest.mark.parametrize(
    ("script", "raised", "calls"),
    [
        (refused(401), InternalServerError, 1),
        (refused(400, LONG), BadRequestError, 1),
        (refused(429, code="insufficient_quota"), RateLimitError, 1),
        (refused(429, retry_after="0"), RateLimitError, 3),
    ],
)
def test_an_sdk_calls_again_only_where_that_may_help(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, script: Any, raised: Any, calls: int
) -> None:
    models.plays("odd", script)
    assistant(root, "odd")
    client = OpenAI(base_url=thinking.v1, api_key=key_of(ann))
    with pytest.raises(raised):
        client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "hi"}])
    assert len(models.requests) == calls


def test_a_failure_keeps_its_kind_through_another_core(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    models.plays("odd", refused(429, retry_after="7"))
    assistant(root, "odd")
    deployed(root, "Outer", node("ask", "subflow_call", target="core://acme/assistant"))
    answer = call(thinking, key_of(ann), hello(model="scaicore/acme/outer"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_an_invocation_refuses_in_its_own_envelope(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    models.plays("odd", refused(429, retry_after="7"))
    core = assistant(root, "odd")
    url = f"{thinking.v1}/modules/scaicore/cores/{core.pk}/invoke"
    headers = {"authorization": f"Bearer {key_of(ann)}"}
    answer = requests.post(url, json={"input": {"message": "hi"}}, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert answer.headers["retry-after"] == "7"


def test_what_a_provider_said_is_in_the_trace_of_an_admin_alone(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    models.plays("odd", refused(401, "Incorrect API key provided: sk-upstream"))
    core = assistant(root, "odd", "well", tracing=True)
    anns, roots = key_of(ann), key_of(root)
    answer = ask(thinking, anns)
    assert told(answer)[0]["content"] == TEXT
    until = time.monotonic() + 5
    while not RunTrace.objects.exists() and time.monotonic() < until:
        time.sleep(0.02)
    url = f"{thinking.v1}/modules/scaicore/cores/{core.pk}/runs/{answer.headers['x-request-id']}"
    seen = {key: requests.get(url, headers={"authorization": f"Bearer {key}"}, timeout=30) for key in (anns, roots)}
    nodes = {key: each.json()["data"]["nodes"][1] for key, each in seen.items()}
    assert nodes[roots]["provider_errors"] == ["scripted/odd: 401 x: Incorrect API key provided: [secret]"]
    assert "provider_errors" not in nodes[anns]
    assert "sk-upstream" not in answer.text + "".join(each.text for each in seen.values())


def test_a_stop_sequence_reaches_the_model(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "well")
    ask(thinking, key_of(ann), stop="far")
    ask(thinking, key_of(ann), stop=["far", "END"])
    assert [seen.json["stop"] for seen in models.requests] == [["far"], ["far", "END"]]


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_model_that_talks_on_behind_a_stop_sequence_is_hung_up_on_and_counted(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, is_streamed: bool
) -> None:
    async def talkative(wire: Any, seen: Any) -> None:
        await wire.head()
        for word in ("one", " two", " END", *[" more"] * 10_000):
            await wire.event(chunk(word))

    models.plays("odd", talkative)
    assistant(root, "odd")
    answer = ask(thinking, key_of(ann), stop="END", stream=is_streamed)
    message, reason = heard(answer) if is_streamed else told(answer)
    assert (message["content"], reason) == ("one two ", "stop")
    models.await_left("odd")
    [row] = recorded(1)
    assert row.prompt_tokens > 0
    assert 0 < row.completion_tokens < 10


def test_a_caller_who_leaves_is_counted_with_what_was_delivered(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "slow")
    client = OpenAI(base_url=thinking.v1, api_key=key_of(ann), max_retries=0)
    stream = client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "hi there"}], stream=True)
    pieces = iter(stream)
    for _ in range(4):
        next(pieces)
    stream.close()
    models.await_left("slow")
    recorded(1)
    row = UsageRecord.objects.get()
    assert row.outcome == "cancelled"
    assert row.prompt_tokens == 2
    assert 2 <= row.completion_tokens < 20


def test_an_answer_that_breaks_off_is_counted_with_what_was_delivered(
    thinking: Server, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "half")
    ask(thinking, key_of(ann), stream=True)
    [row] = recorded(1)
    assert (row.outcome, row.prompt_tokens, row.completion_tokens) == ("failed", 1, 1)


def test_an_empty_turn_of_a_history_does_not_reach_the_model(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "well")
    history = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "two"},
    ]
    told(ask(thinking, key_of(ann), messages=history))
    assert models.requests[0].json["messages"][1:] == [{"role": "user", "content": "one\n\ntwo"}]


@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_answer_that_is_given_again_is_the_same_in_all_its_parts(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf, name: str, is_streamed: bool
) -> None:
    script, options, _, _ = REPLIES[name]
    models.plays("odd", script)
    assistant(root, "odd", options=options)
    key, body = key_of(ann), hello(model=NAME, stream=is_streamed)
    first, again = (call(thinking, key, body, **{"idempotency-key": "k"}) for _ in range(2))
    read = heard if is_streamed else told
    assert read(again) == read(first)
    assert len(models.requests) == 1
