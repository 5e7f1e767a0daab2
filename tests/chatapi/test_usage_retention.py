"""Usage records go after some days, and what is known of those days stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from chatapi import retention, usage
from chatapi.daily_usage import counting, pruning, rebuilding
from chatapi.models import CallerDay, KeptUsage, ModelDay, UsageRecord
from identity.models import User
from publishing.db import pool
from tests.chatapi.test_daily_usage import check, expected, held, row, write

MIDNIGHT = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


def ago(days: float) -> datetime:
    return MIDNIGHT - timedelta(days=days)


@sync_to_async
def written(*days: float, each: int = 1) -> None:
    write(row(ago(day)) for day in days for _ in range(each))


@sync_to_async
def kept() -> list[datetime]:
    return list(UsageRecord.objects.order_by("at").values_list("at", flat=True))


@sync_to_async
def counted() -> tuple[int, int]:
    return tuple(table.objects.aggregate(n=Sum("requests"))["n"] or 0 for table in (ModelDay, CallerDay))  # type: ignore[return-value]


async def test_whole_days_are_removed_and_their_sums_stay(inside: None, settings: LazySettings) -> None:
    settings.USAGE_DAYS = 2
    await written(9, 2.5, 2.0000001, 2, 1, 0)
    await retention.prune()
    assert await kept() == [ago(2), ago(1), ago(0)]
    assert await counted() == (6, 6)
    since = await sync_to_async(lambda: KeptUsage.objects.get().since)()
    assert since == ago(2).date()


async def test_nothing_is_removed_unless_the_operator_wants_it(inside: None) -> None:
    await written(1000)
    await retention.prune()
    assert len(await kept()) == 1
    assert not await sync_to_async(KeptUsage.objects.exists)()


async def test_more_than_one_statement_removes_go_as_well_from_several_processes(
    inside: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "PRUNE", pruning.PRUNE.replace("LIMIT 2000", "LIMIT 7"))
    await written(5, 4, 0, each=40)
    await asyncio.gather(*(pruning.prune(3) for _ in range(4)))
    assert len(await kept()) == 40
    assert await counted() == (120, 120)


@pytest.mark.django_db(transaction=True)
def test_writing_removing_and_rebuilding_at_once_leave_the_sums_of_all_that_was_written() -> None:
    given = [row(ago(number % 4), duration_ms=number, user_id=f"user_{number % 3}") for number in range(600)]
    days = [ago(back).date() for back in range(4)]

    def record(mine: list[usage.UsageRow]) -> None:
        for start in range(0, len(mine), 10):
            write(mine[start : start + 10])

    def remove() -> None:
        async def some() -> None:
            for _ in range(20):
                await pruning.prune(1)
            await pool.close()

        asyncio.run(some())

    acts = [partial(record, given[:300]), partial(record, given[300:]), remove]
    acts += 2 * [lambda: [rebuilding.rebuild(day) for _ in range(5) for day in days]]
    with ThreadPoolExecutor(len(acts)) as threads:
        for one in [threads.submit(_closing, act) for act in acts]:
            one.result()
    for table, key in ((ModelDay, counting.MODEL_KEY), (CallerDay, counting.CALLER_KEY)):
        assert held(table, key) == expected(given, key)


def _closing(act: Callable[[], object]) -> None:
    try:
        act()
    finally:
        connection.close()


@pytest.mark.django_db
def test_a_day_that_is_half_gone_is_neither_rebuilt_nor_found_wrong() -> None:
    write([row(ago(3)), row(ago(3)), row(ago(1))])
    KeptUsage.objects.create(since=ago(2).date())
    UsageRecord.objects.order_by("id")[0].delete()
    call_command("rebuild_usage", "--check")
    call_command("rebuild_usage")
    assert rebuilding.rebuild(ago(3).date()) == 0
    assert [day.requests for day in ModelDay.objects.order_by("day")] == [2, 1]
    ModelDay.objects.filter(day=ago(1).date()).delete()
    with pytest.raises(CommandError, match=str(ago(1).date())):
        call_command("rebuild_usage", "--check")


@pytest.mark.django_db
def test_a_late_record_of_a_removed_day_still_counts() -> None:
    KeptUsage.objects.create(since=ago(2).date())
    late = row(ago(3))
    write([late])
    write([late])
    assert CallerDay.objects.get().requests == 1


@pytest.mark.django_db
def test_the_usage_page_shows_days_whose_records_are_gone(client: Client, ann: User) -> None:
    given = [row(ago(3), user_id=ann.pk), row(ago(0), user_id=ann.pk)]
    write(given)
    check(given)
    UsageRecord.objects.all().delete()
    client.force_login(ann)
    assert client.get("/usage/?days=7").context["total"].requests == 2
