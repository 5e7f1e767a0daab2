"""Limits as their callers meet them: headers, refusals, warnings, and what is given back."""

from __future__ import annotations

import json
from collections.abc import Callable

import openai
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from chatapi import completions, invocations, model_list, usage
from chatapi.models import UsageRecord
from chatapi.responses import Frames, Whole
from identity.models import User
from publishing.limits import SettledRow
from publishing.models import Core, LimitCell, Price
from tests.support.chat_calls import HELLO, hello
from tests.support.limiting import make_limit
from tests.support.serving import Server

NAME = "scaicore/acme/echo-agent"
LEFT = "x-ratelimit-remaining-requests"


async def chat(key: str, headers: dict[str, str] | None = None, **more: object) -> Whole | Frames:
    answer = await completions.answer(key, headers or {}, json.dumps(hello(**more)).encode())
    await usage.flush()
    return answer


def code_of(answer: Whole | Frames) -> str:
    assert isinstance(answer, Whole)
    return str(json.loads(answer.body)["error"]["code"])


make = sync_to_async(make_limit)


@sync_to_async
def level() -> dict[str, float]:
    return {cell.limit.measure: float(cell.level) for cell in LimitCell.objects.select_related("limit")}


async def test_without_a_limit_no_header_speaks_of_one(inside: None, echo: Core, anns_key: str) -> None:
    assert not [name for name in (await chat(anns_key)).headers if "limit" in name]


async def test_an_answer_says_how_much_is_left(inside: None, echo: Core, anns_key: str) -> None:
    await make(10)
    await make(1000, "tokens", "minute")
    for left in ("9", "8"):
        headers = (await chat(anns_key)).headers
        assert (headers["x-ratelimit-limit-requests"], headers[LEFT]) == ("10", left)
    assert headers["x-ratelimit-limit-tokens"] == "1000"
    assert headers["x-ratelimit-reset-tokens"].endswith("s")
    assert (await chat(anns_key, stream=True)).headers[LEFT] == "7"


async def test_a_minutes_limit_says_when_to_come_back(inside: None, echo: Core, anns_key: str) -> None:
    await make(2, per="minute")
    answers = [await chat(anns_key) for _ in range(3)]
    refused = answers[-1]
    assert [answer.status for answer in answers if isinstance(answer, Whole)] == [200, 200, 429]
    assert code_of(refused) == "rate_limit_exceeded"
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert refused.headers[LEFT] == "0"


@pytest.mark.parametrize("per", ["day", "month"])
async def test_a_quota_that_is_used_up_is_not_tried_again_by_sdks(
    inside: None, echo: Core, anns_key: str, per: str
) -> None:
    await make(1, per=per)
    await chat(anns_key)
    refused = await chat(anns_key)
    assert (code_of(refused), refused.headers["x-should-retry"]) == ("insufficient_quota", "false")
    assert b"1 requests a " in refused.body


async def test_a_soft_limit_warns(inside: None, echo: Core, anns_key: str) -> None:
    await make(1, is_soft=True)
    first, second = [await chat(anns_key) for _ in range(2)]
    assert "x-scai-limit-warning" not in first.headers
    assert second.headers["x-scai-limit-warning"] == "2 of 1 requests a day"
    assert LEFT not in second.headers


async def test_tokens_count_as_the_run_used_them(inside: None, echo: Core, anns_key: str) -> None:
    await make(10_000, "tokens")
    await chat(anns_key, max_tokens=5000)
    row = await sync_to_async(UsageRecord.objects.get)()
    assert await level() == {"tokens": row.prompt_tokens + row.completion_tokens}


async def test_money_counts_by_the_price_of_the_model(inside: None, echo: Core, anns_key: str) -> None:
    await make(1, "money", "month")
    await sync_to_async(Price.objects.create)(core=echo, tenant_id="acme", prompt=1000, completion=500)
    await chat(anns_key)
    row = await sync_to_async(UsageRecord.objects.get)()
    assert await level() == {"money": pytest.approx((row.prompt_tokens * 1000 + row.completion_tokens * 500) / 1e6)}


async def test_a_call_that_is_larger_than_its_limit_is_told_so(inside: None, echo: Core, anns_key: str) -> None:
    await make(100, "tokens")
    refused = await chat(anns_key, max_tokens=1000)
    assert b"Make it smaller" in refused.body if isinstance(refused, Whole) else False
    assert await level() == {"tokens": 0}


@pytest.mark.parametrize("asked", [2**31, 2**63, 10**40])
async def test_a_number_of_tokens_that_nobody_has_is_refused_like_any_that_is_too_large(
    inside: None, echo: Core, anns_key: str, asked: int
) -> None:
    await make(1000, "tokens", "minute")
    answer = await chat(anns_key, max_tokens=asked)
    assert isinstance(answer, Whole)
    assert (answer.status, code_of(answer)) == (429, "insufficient_quota")
    assert not sum((await level()).values())


async def test_a_run_that_cannot_be_settled_takes_no_other_along(inside: None, echo: Core) -> None:
    limit = await make(1000, "tokens", "month")
    now = timezone.now().timestamp()
    for used in (2**70, 40, 2**63 - 1):
        usage.settle(SettledRow(limit.id, "", echo.id, used, 2, 0, now))
    await usage.flush()
    assert await level() == {"tokens": 42}


async def test_what_one_limit_refuses_is_given_back_to_the_others(inside: None, echo: Core, anns_key: str) -> None:
    await make(100)
    await make(1, per="minute", each="key")
    answers = [await chat(anns_key) for _ in range(5)]
    assert [answer.status for answer in answers if isinstance(answer, Whole)] == [200, 429, 429, 429, 429]
    cells = await sync_to_async(lambda: {cell.subject: float(cell.level) for cell in LimitCell.objects.all()})()
    assert cells[""] == 1


async def test_a_call_that_is_refused_before_it_runs_takes_nothing(inside: None, echo: Core, anns_key: str) -> None:
    await make(5)
    await make(1000, "tokens")
    refused = await chat(anns_key, n=2)
    assert isinstance(refused, Whole) and refused.status == 400
    assert await level() == {"requests": 0, "tokens": 0}


async def test_an_answer_that_is_given_again_is_counted_once(inside: None, echo: Core, anns_key: str) -> None:
    await make(5)
    for _ in range(3):
        await chat(anns_key, {"idempotency-key": "k-1"})
    assert await level() == {"requests": 1}


async def test_a_list_takes_nothing(inside: None, echo: Core, anns_key: str) -> None:
    await make(1)
    await model_list.retrieve(anns_key, NAME, request_id="req_1")
    assert await level() == {}


async def test_an_invocation_obeys(inside: None, echo: Core, anns_key: str) -> None:
    await make(1)
    body = json.dumps({"input": {"message": "hello"}}).encode()
    answers = [await invocations.answer(anns_key, echo.pk, {}, body, request_id=f"req_{n}") for n in (1, 2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert json.loads(answers[1].body)["error"]["code"] == "INSUFFICIENT_QUOTA"


def test_the_sdk_reads_a_limit_at_both_doors(
    server: Server, echo: Core, ann: User, key_of: Callable[[User], str]
) -> None:
    make_limit(2)
    client = openai.OpenAI(base_url=server.v1, api_key=key_of(ann), max_retries=2)
    answer = client.chat.completions.with_raw_response.create(model=NAME, messages=HELLO["messages"])
    assert answer.headers[LEFT] == "1"
    client.chat.completions.create(model=NAME, messages=HELLO["messages"])
    began = timezone.now()
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=NAME, messages=HELLO["messages"])
    assert caught.value.code == "insufficient_quota"
    assert (timezone.now() - began).total_seconds() < 5  # not tried again
