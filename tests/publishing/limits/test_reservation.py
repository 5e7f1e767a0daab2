"""What a call takes of its limits, in the statement that decides about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from identity.models import ApiKey, Group, User
from publishing import limits, registry
from publishing.db import pool
from publishing.models import Core, LimitCell, Price
from publishing.registry import AccessDecision
from tests.publishing.limits.conftest import Limits, made, reserve, write


def went_through(decisions: list[AccessDecision]) -> int:
    return sum(not any(one.refuses for one in decision.taken) for decision in decisions)


async def test_without_limits_there_is_one_plain_statement(
    inside: None, echo: Core, anns_key: str, statements: list[str]
) -> None:
    assert (await reserve(anns_key)).taken == ()
    assert (await reserve(anns_key)).may_call
    assert statements == [registry.DECIDE, registry.DECIDE]


async def test_with_limits_there_is_one_statement_for_each_call_but_the_first(
    inside: None, echo: Core, anns_key: str, limit: Limits, statements: list[str]
) -> None:
    await made(limit, 10)
    for _ in range(2):
        [taken] = (await reserve(anns_key)).taken
    assert (taken.amount, taken.used, taken.is_within) == (10, 2, True)
    assert statements == [registry.DECIDE, registry.RESERVE, registry.RESERVE]


@pytest.mark.parametrize("per", ["minute", "day", "month"])
async def test_a_limit_gives_as_much_as_it_has(
    inside: None, echo: Core, anns_key: str, limit: Limits, per: str
) -> None:
    await made(limit, 5, per=per)
    decisions = [await reserve(anns_key) for _ in range(8)]
    assert went_through(decisions) == 5
    assert [decision.taken[0].is_within for decision in decisions] == [True] * 5 + [False] * 3


async def test_calls_of_one_batch_share_what_is_left(inside: None, echo: Core, anns_key: str, limit: Limits) -> None:
    await made(limit, 7)
    await reserve(anns_key)
    decisions = await asyncio.gather(*(reserve(anns_key) for _ in range(30)))
    assert went_through(decisions) == 6


async def test_what_was_taken_of_a_minute_comes_back_evenly(
    inside: None, echo: Core, anns_key: str, limit: Limits
) -> None:
    await made(limit, 60, per="minute")
    await asyncio.gather(*(reserve(anns_key) for _ in range(60)))
    assert went_through([await reserve(anns_key)]) == 0
    await sync_to_async(LimitCell.objects.update)(at=timezone.now() - timedelta(seconds=10.5))
    assert went_through([await reserve(anns_key) for _ in range(15)]) == 10


@pytest.mark.parametrize(("per", "days"), [("day", 1), ("month", 31)])
async def test_a_day_and_a_month_begin_anew(
    inside: None, echo: Core, anns_key: str, limit: Limits, per: str, days: int
) -> None:
    await made(limit, 1, per=per)
    assert went_through([await reserve(anns_key) for _ in range(2)]) == 1
    await sync_to_async(LimitCell.objects.update)(at=timezone.now() - timedelta(days=days, seconds=1))
    [taken] = (await reserve(anns_key)).taken
    assert taken.is_within
    assert 0 < taken.resets_s <= days * 86400


async def test_a_soft_limit_lets_through_and_tells(inside: None, echo: Core, anns_key: str, limit: Limits) -> None:
    await made(limit, 1, is_soft=True)
    decisions = [await reserve(anns_key) for _ in range(3)]
    assert went_through(decisions) == 3
    assert [decision.taken[0].is_within for decision in decisions] == [True, False, False]
    assert [decision.taken[0].used for decision in decisions] == [1, 2, 3]


async def test_tokens_are_taken_as_they_are_estimated_and_a_larger_call_waits_for_no_smaller_one(
    inside: None, echo: Core, anns_key: str, limit: Limits
) -> None:
    await made(limit, 100, "tokens")
    assert went_through([await reserve(anns_key, 60, 20)]) == 1
    assert went_through([await reserve(anns_key, 30)]) == 0
    assert went_through([await reserve(anns_key, 20)]) == 1


async def test_money_is_counted_where_the_model_has_a_price(
    inside: None, echo: Core, anns_key: str, limit: Limits
) -> None:
    await made(limit, 1, "money")
    assert (await reserve(anns_key)).taken == ()
    await made(Price.objects.create, core=echo, tenant_id="acme", prompt=Decimal(2), completion=Decimal(10))
    [taken] = (await reserve(anns_key, 100_000, 50_000)).taken
    assert (taken.cost, taken.is_within) == (0.7, True)
    assert went_through([await reserve(anns_key, 100_000, 50_000)]) == 0


async def test_a_limit_of_somebody_or_something_else_takes_nothing(
    inside: None, echo: Core, anns_key: str, bo: User, engineering: Group, limit: Limits
) -> None:
    await made(limit, 1, user=bo)
    empty = await made(Group.objects.create, tenant=echo.tenant, scaikey_id="empty")
    await made(limit, 1, group=empty)
    assert (await reserve(anns_key)).taken == ()


async def test_each_user_and_each_key_has_its_own_and_a_group_shares(
    inside: None, echo: Core, ann: User, anns_key: str, engineering: Group, limit: Limits, key_of: Callable[[User], str]
) -> None:
    other = await made(key_of, ann)
    own = {each: await made(limit, 3, each=each) for each in ("user", "key")}
    shared = await made(limit, 3, group=engineering)
    for authorization in (anns_key, other):
        decision = await reserve(authorization)
    used = {taken.limit_id: taken.used for taken in decision.taken}
    assert used == {own["user"].pk: 2, own["key"].pk: 1, shared.pk: 2}


async def test_a_call_that_is_not_allowed_takes_nothing(
    inside: None, narrow_echo: Core, bo: User, key_of: Callable[[User], str], limit: Limits
) -> None:
    await made(limit, 1)
    decision = await reserve(await made(key_of, bo))
    assert (decision.may_call, decision.taken) == (False, ())
    assert await sync_to_async(LimitCell.objects.count)() == 0


async def test_what_a_run_used_is_counted_in_place_of_what_was_thought(
    inside: None, echo: Core, anns_key: str, limit: Limits
) -> None:
    await made(limit, 100, "tokens")
    await made(limit, 100)
    taken = (await reserve(anns_key, 60)).taken
    rows = limits.settle(taken, echo.pk, prompt=70, completion=5)
    await write(rows)
    used = {one.measure: one.used for one in (await reserve(anns_key, 1)).taken}
    assert used == {"tokens": 76, "requests": 2}


async def test_a_call_that_never_ran_gets_everything_back(
    inside: None, echo: Core, anns_key: str, limit: Limits
) -> None:
    await made(limit, 100, "tokens")
    await made(limit, 1)
    for _ in range(3):
        taken = (await reserve(anns_key, 60)).taken
        assert not any(one.refuses for one in taken)
        rows = limits.give_back(taken, echo.pk)
        await write(rows)


async def test_nobody_waits_for_another_and_nothing_is_given_twice_by_two_pools(
    inside: None, echo: Core, anns_key: str, ann: User, limit: Limits, key_of: Callable[[User], str]
) -> None:
    keys = [anns_key, *[await made(key_of, ann) for _ in range(5)]]
    await made(limit, 150)
    await made(limit, 40, each="key")

    def calls(first: int) -> list[AccessDecision]:
        async def run() -> list[AccessDecision]:
            try:
                found: list[AccessDecision] = []
                for turn in range(20):
                    chosen = [keys[(first + turn + number) % len(keys)] for number in range(10)]
                    found += await asyncio.gather(*(reserve(key) for key in chosen))
                return found
            finally:
                await pool.close()

        return asyncio.run(run())

    parts = await asyncio.gather(asyncio.to_thread(calls, 0), asyncio.to_thread(calls, 3))
    decisions = [decision for part in parts for decision in part]
    # Those that the key's own limit refused had taken of the tenant's, which their callers give back.
    tenants = [one for decision in decisions for one in decision.taken if one.subject == ""]
    assert sum(one.is_within for one in tenants) == 150
    for key_id in await sync_to_async(lambda: list(ApiKey.objects.values_list("pk", flat=True)))():
        own = [one for decision in decisions for one in decision.taken if one.subject == key_id]
        assert sum(one.is_within for one in own) == min(40, len(own))


async def test_a_call_that_is_too_large_keeps_no_other_of_its_batch_out(
    inside: None, echo: Core, anns_key: str, limit: Limits
) -> None:
    await made(limit, 100, "tokens")
    await reserve(anns_key, 3)
    sizes = (10, 500, 20, 500, 60, 10)
    decisions = await asyncio.gather(*(reserve(anns_key, size) for size in sizes))
    assert [went_through([decision]) for decision in decisions] == [1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("used", [10, 5000])
async def test_what_was_taken_of_yesterday_is_not_settled_on_today(
    inside: None, echo: Core, anns_key: str, limit: Limits, used: int
) -> None:
    await made(limit, 10_000, "tokens")
    [taken] = (await reserve(anns_key, 900)).taken
    yesterday = taken._replace(at=taken.at - 86400)
    await write(limits.settle([yesterday], echo.pk, prompt=used, completion=0))
    [taken] = (await reserve(anns_key, 1)).taken
    assert taken.used == 901


async def test_a_caller_who_leaves_while_it_is_decided_gets_back_what_was_taken(
    inside: None, echo: Core, anns_key: str, limit: Limits
) -> None:
    await made(limit, 100)
    await reserve(anns_key)
    calls = [asyncio.create_task(reserve(anns_key)) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for call in calls[:4]:
        call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 4
    async with asyncio.timeout(20):
        while float((await sync_to_async(LimitCell.objects.get)()).level) != 2:  # noqa: ASYNC110  the database tells nobody
            await asyncio.sleep(0.01)
