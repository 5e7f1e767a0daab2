"""Language models: what a good upstream says, what a bad one does, and what a caller who leaves causes."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable

import pytest
from django.conf import LazySettings

from publishing import outbound, providers
from publishing.clients import model_answers
from publishing.clients.language_models import TenantModelClient
from scaicore.services import ModelEnd, ModelText, ServiceFailed
from tests.support.model_calls import HELLO, call, failure, said, stream
from tests.support.outside_calls import now
from tests.support.serving import free_port
from tests.support.upstream import Upstream
from tests.support.upstream_answers import TEXT

KEY = "sk-house-4d1e"


@pytest.fixture
def house(outside: None, upstream: Upstream, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted server as a provider with little patience, without a database; `down` is one that nobody runs."""
    down = providers.Provider(f"http://127.0.0.1:{free_port()}/v1", "", 0.5, frozenset(["127.0.0.1"]))
    known = {"house": providers.Provider(upstream.base_url, KEY, 0.5, outbound.listed()), "down": down}

    async def find(tenant_id: str, refs: set[str]) -> dict[str, providers.Provider]:
        return {ref: known[ref] for ref in refs if ref in known}

    monkeypatch.setattr(providers, "find", find)


async def test_an_answer_comes_word_by_word_with_the_upstreams_own_figures(house: None) -> None:
    texts, end = await said("well")
    assert texts == ["Hello", " from", " far", " away."]
    assert end == ModelEnd("stop", 11, 5)


async def test_the_request_is_what_the_protocol_asks_for(house: None, upstream: Upstream) -> None:
    await said("well", params={"temperature": 0.5, "stop": ["x"], "model": "other", "stream": False})
    [seen] = upstream.requests
    assert (seen.method, seen.path) == ("POST", "/v1/chat/completions")
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.json == {
        "model": "well",
        "messages": HELLO,
        "temperature": 0.5,
        "stop": ["x"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("model", "end"),
    [
        ("whole", ModelEnd("length", 11, 5)),
        ("odd-framing", ModelEnd("stop", None, None)),
        ("no-usage-no-done", ModelEnd("stop", None, None)),
        ("hangs-when-finished", ModelEnd("stop", None, None)),
        ("odd-usage", ModelEnd("stop", None, None)),
    ],
)
async def test_an_upstream_with_habits_of_its_own_is_understood(
    house: None, monkeypatch: pytest.MonkeyPatch, model: str, end: ModelEnd
) -> None:
    monkeypatch.setattr(model_answers, "USAGE_S", 0.1)
    texts, ended = await said(model)
    assert ("".join(texts), ended) == (TEXT, end)


async def test_nul_characters_never_reach_the_flow(house: None) -> None:
    assert (await said("nul"))[0] == ["Hello"]


async def test_a_connection_serves_the_next_call(house: None, upstream: Upstream) -> None:
    for _ in range(5):
        await said("well")
    assert upstream.connections == 1


FAILURES = [
    ("silent", "timed_out"),
    ("comments", "timed_out"),
    ("status-429", "rate_limited"),
    ("status-500", "upstream_failed"),
    ("status-503", "overloaded"),
    ("status-408", "timed_out"),
    ("status-400", "rejected"),
    ("status-401", "denied"),
    ("status-404", "missing"),
    ("html", "upstream_failed"),
    ("garbage", "upstream_failed"),
    ("wrong-shape", "upstream_failed"),
    ("error-first", "upstream_failed"),
    ("rate-limit-in-stream", "rate_limited"),
    ("no-http", "upstream_failed"),
    ("bomb", "too_large"),
    ("endless-line", "too_large"),
    ("endless-json", "too_large"),
    ("loop", "upstream_failed"),
]


@pytest.mark.parametrize(("model", "reason"), FAILURES)
async def test_an_upstream_that_gives_no_answer_fails_in_time_for_its_own_reason(
    house: None, monkeypatch: pytest.MonkeyPatch, model: str, reason: str
) -> None:
    monkeypatch.setattr(model_answers, "MOST_BYTES", 5_000_000)
    monkeypatch.setattr(model_answers, "MOST_WHOLE_BYTES", 2_000_000)
    began = now()
    assert await failure(model) == ([], reason)
    assert now() - began < 3


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("stalls", "timed_out"),
        ("half", "upstream_failed"),
        ("cut", "upstream_failed"),
        ("error-later", "upstream_failed"),
        ("garbage-later", "upstream_failed"),
    ],
)
async def test_an_answer_that_breaks_off_is_no_answer_and_is_not_begun_anew(
    house: None, upstream: Upstream, model: str, reason: str
) -> None:
    assert await failure(model, "well") == (["Hello"], reason)
    assert [seen.model for seen in upstream.requests] == [model]


@pytest.mark.parametrize("bound", ["bytes", "time"])
async def test_an_answer_without_end_ends_at_its_bound(
    house: None, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(model_answers, "MOST_BYTES", 500_000 if bound == "bytes" else 10**12)
    texts, reason = await failure("endless", timeout_s=None if bound == "bytes" else 0.5)
    assert reason == ("too_large" if bound == "bytes" else "timed_out")
    assert len(texts) > 100
    await asyncio.to_thread(upstream.await_left, "endless")


async def test_other_callers_get_their_turn_while_an_upstream_floods(house: None) -> None:
    flood = asyncio.create_task(failure("endless", timeout_s=1.0))
    longest, last = 0.0, now()
    while not flood.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, now() - last), now()
    assert longest < 0.5


@pytest.mark.parametrize(
    "first", ["status-429", "status-500", "silent", "html", "garbage", "error-first", "bomb", "gone/x", "down/x"]
)
async def test_the_next_choice_answers_when_the_first_one_did_not(house: None, first: str) -> None:
    texts, end = await said(first, "well")
    assert ("".join(texts), end.prompt_tokens) == (TEXT, 11)


async def test_what_was_rejected_is_asked_of_no_other(house: None, upstream: Upstream) -> None:
    assert await failure("status-400", "well") == ([], "rejected")
    assert len(upstream.requests) == 1


async def test_the_reason_of_the_last_choice_is_told_when_none_answers(house: None) -> None:
    assert await failure("html", "status-429") == ([], "rate_limited")


@pytest.mark.parametrize("models", [(), ("gone/x",)])
async def test_a_provider_that_does_not_exist_fails_clearly(house: None, models: tuple[str, ...]) -> None:
    assert await failure(*models) == ([], "unconfigured")


async def test_a_caller_who_leaves_hangs_up_on_the_upstream(house: None, upstream: Upstream) -> None:
    parts = TenantModelClient("acme").stream(call("slow"))
    assert await anext(parts) == ModelText("word")
    await parts.aclose()
    await asyncio.to_thread(upstream.await_left, "slow")


@pytest.mark.parametrize("model", ["silent", "stalls"])
async def test_a_flow_that_is_stopped_hangs_up_on_the_upstream(house: None, upstream: Upstream, model: str) -> None:
    task = asyncio.create_task(failure(model))
    await asyncio.to_thread(upstream.await_request)
    task.cancel()
    await asyncio.to_thread(upstream.await_left, model)


async def test_an_upstream_is_read_only_as_fast_as_its_text_is_taken(house: None, upstream: Upstream) -> None:
    parts = TenantModelClient("acme").stream(call("endless"))
    await anext(parts)
    before = -1
    while before < upstream.sent_bytes:  # the system's own buffers fill first
        before = upstream.sent_bytes
        await asyncio.sleep(0.3)
    assert before < 20_000_000
    await parts.aclose()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text


@pytest.mark.parametrize("model", [*(name for name, _ in FAILURES if "endless" not in name), "half", "cut"])
async def test_no_failure_tells_a_key_and_none_quotes_the_upstream(
    house: None, logged: Callable[[], str], model: str
) -> None:
    with pytest.raises(ServiceFailed) as caught:
        async for _ in stream(model):
            pass
    told = "".join(traceback.format_exception(caught.value))
    assert model in logged()
    assert KEY not in told + logged() + caught.value.said
    assert "not answering" not in told + str(caught.value)


async def test_the_log_has_the_status_and_the_upstreams_own_sentence(house: None, logged: Callable[[], str]) -> None:
    await failure("status-401")
    assert "denied 401: I am not answering, your key: Bearer [secret]" in logged()
