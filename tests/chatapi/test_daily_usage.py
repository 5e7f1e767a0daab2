"""The sums of each day: exact to the row, whoever writes, however often, and whatever was lost."""

from __future__ import annotations

import asyncio
import importlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chatapi import usage
from chatapi.activity import Activity, count_activity
from chatapi.daily_usage import counting, rebuilding
from chatapi.daily_usage.durations import find_percentiles, percentiles_of
from chatapi.models import CallerDay, ModelDay, UsageRecord
from publishing.db import pool
from publishing.models import Core

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = NOON.date()
Sums = dict[tuple[Any, ...], tuple[int, int, int, int, dict[int, int]]]
numbers = iter(range(10**9))


def row(at: datetime = NOON, **fields: Any) -> usage.UsageRow:
    given_row = usage.UsageRow(
        at, f"req_{next(numbers)}", "acme", "user_a", "key_a", "core_a", 1, "a", "chat", False, "ok", 3, 4, 100, None
    )
    return replace(given_row, **fields)


rows = st.builds(
    row,
    at=st.datetimes(datetime(2026, 11, 19), datetime(2026, 11, 22), timezones=st.just(UTC)),
    tenant_id=st.sampled_from(["acme", "globex"]),
    user_id=st.sampled_from(["", "user_a", "user_b"]),
    key_id=st.sampled_from(["", "key_a"]),
    core_id=st.sampled_from(["core_a", "core_b"]),
    purpose=st.sampled_from(["chat", "subflow", "webhook"]),
    outcome=st.sampled_from(["ok", "failed", "timed_out", "cancelled"]),
    prompt_tokens=st.integers(0, 2**31 - 1),
    duration_ms=st.integers(0, 2**31 - 1),
)


def write(batch: Iterable[usage.UsageRow]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(usage.INSERT, [usage._as_json(list(batch))])


def rounded(ms: int) -> int:
    """To two digits, by another way than the database's, half away from zero as there."""
    size = 10 ** max(0, len(str(ms)) - 2)
    return (ms + size // 2) // size * size


def expected(written: Iterable[usage.UsageRow], key: tuple[str, ...]) -> Sums:
    """What the records say, counted here."""
    grouped = defaultdict(list)
    for one in written:
        values = {"day": one.at.date(), **{name: getattr(one, name) for name in key if name != "day"}}
        grouped[tuple(values[name] for name in key)].append(one)
    return {
        of: (
            len(group),
            sum(one.outcome in ("failed", "timed_out") for one in group),
            sum(one.prompt_tokens for one in group),
            sum(one.completion_tokens for one in group),
            {
                ms: sum(rounded(one.duration_ms) == ms for one in group)
                for ms in {rounded(x.duration_ms) for x in group}
            },
        )
        for of, group in grouped.items()
    }


def listed(durations: list[int], counts: list[int]) -> dict[int, int]:
    """How often each duration was counted; none is there for nothing."""
    assert all(counts)
    assert len(durations) < len(set(durations)) + counting.ROOM
    return {ms: sum(n for other, n in zip(durations, counts, strict=True) if other == ms) for ms in durations}


def held(model: type[ModelDay] | type[CallerDay], key: tuple[str, ...]) -> Sums:
    """What the sums say."""
    return {
        tuple(getattr(one, name) for name in key): (
            one.requests,
            one.errors,
            one.prompt_tokens,
            one.completion_tokens,
            listed(one.durations, one.counts),
        )
        for one in model.objects.all()
    }


def check(written: Iterable[usage.UsageRow]) -> None:
    unique = list({one.request_id: one for one in written}.values())
    assert held(ModelDay, counting.MODEL_KEY) == expected(unique, counting.MODEL_KEY)
    assert held(CallerDay, counting.CALLER_KEY) == expected(unique, counting.CALLER_KEY)
    days = sorted({one.at.date() for one in unique})
    assert {day: rebuilding.count_wrong(day) for day in rebuilding.days_with_records()} == dict.fromkeys(days, 0)


def empty() -> None:
    for model in (UsageRecord, ModelDay, CallerDay):
        model.objects.all().delete()


def test_the_trigger_is_what_the_code_shows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'chatapi_count_usage'")
        [(body,)] = cursor.fetchall()
    assert body.strip() == counting.BODY


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(rows, max_size=12), max_size=6), data=st.data())
def test_sums_are_those_of_the_rows_whatever_is_sent_again_forgotten_or_counted_anew(
    db: None, batches: list[list[usage.UsageRow]], data: st.DataObject
) -> None:
    empty()
    for batch in batches:
        write(batch)
        again = data.draw(st.lists(st.sampled_from(batch), max_size=3)) if batch else []
        write([*again, *batch])
    written = [one for batch in batches for one in batch]
    check(written)
    for day in data.draw(st.lists(st.sampled_from(rebuilding.days_with_records() or [DAY]))):
        rebuilding.rebuild(day)
    check(written)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_writers_and_rebuilds_at_once_lose_and_double_nothing(seed: int) -> None:
    """Ledgers in loops of their own, each sending some rows twice in an order of its own, beside two that rebuild."""
    rng = random.Random(seed)  # noqa: S311
    keys = [("user_a", "core_a"), ("user_a", "core_b"), ("user_b", "core_a"), ("user_c", "core_c")]
    moments = [NOON, NOON + timedelta(days=1)]

    def made() -> usage.UsageRow:
        user_id, core_id = rng.choice(keys)
        return row(rng.choice(moments), user_id=user_id, core_id=core_id, duration_ms=rng.randrange(2000))

    written = [[made() for _ in range(300)] for _ in range(4)]

    def work(mine: list[usage.UsageRow]) -> None:
        async def send() -> None:
            for start in range(0, len(mine), 15):
                batch = mine[max(0, start - 5) : start + 15]
                for one in rng.sample(batch, k=len(batch)):
                    usage.record(one)
                await usage.flush()
            await pool.close()

        asyncio.run(send())

    def rebuild() -> None:
        try:
            for moment in moments * 10:
                # One row at a time: whoever locks several has to keep to the order of their keys.
                spoiled = ModelDay.objects.filter(day=moment.date(), core_id="core_a")
                spoiled.update(requests=F("requests") + 1, errors=F("errors") - 3)
                rebuilding.rebuild(moment.date())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        done = [threads.submit(work, mine) for mine in written] + [threads.submit(rebuild) for _ in range(2)]
        for one in done:
            one.result()
    check(one for mine in written for one in mine)


SPOILED: dict[str, Callable[[], object]] = {
    "sums are gone": lambda: (ModelDay.objects.all().delete(), CallerDay.objects.filter(user_id="user_a").delete()),
    "sums are too high": lambda: CallerDay.objects.update(requests=7, counts=[9], durations=[5]),
    "sums of nobody": lambda: CallerDay.objects.update(user_id="user_x"),
    "sums are below nothing": lambda: ModelDay.objects.update(errors=-1, prompt_tokens=-5),
    "a zero is left": lambda: ModelDay.objects.update(requests=0, errors=0, prompt_tokens=0, completion_tokens=0),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_rebuild_corrects_the_sums_and_a_check_finds_the_first_day(
    spoil: Callable[[], object], capsys: pytest.CaptureFixture[str]
) -> None:
    written = [row(), row(duration_ms=7), row(NOON + timedelta(days=1), user_id="user_b"), row(outcome="failed")]
    write(written)
    call_command("rebuild_usage", "--check")
    assert capsys.readouterr().out == "2 days agree with the records.\n"
    spoil()
    with pytest.raises(CommandError, match=rf"{DAY}: \d sums? differ"):
        call_command("rebuild_usage", "--check")
    call_command("rebuild_usage")
    assert capsys.readouterr().out.endswith("2 days counted.\n")
    check(written)


def test_a_rebuild_begins_where_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    write([row(), row(NOON + timedelta(days=1))])
    ModelDay.objects.all().delete()
    call_command("rebuild_usage", "--since", "2026-11-21")
    assert capsys.readouterr().out == "2026-11-21: 1 sum corrected\n1 day counted.\n"
    assert [one.day for one in ModelDay.objects.all()] == [date(2026, 11, 21)]


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", ""])
def test_a_day_that_is_none_is_refused(since: str) -> None:
    with pytest.raises(CommandError, match="is not a day such as"):
        call_command("rebuild_usage", "--since", since)


def test_days_whose_records_are_gone_keep_their_sums() -> None:
    write([row(), row(NOON + timedelta(days=1))])
    UsageRecord.objects.filter(at__lt=NOON + timedelta(hours=1)).delete()
    assert rebuilding.rebuild(DAY) == 0
    call_command("rebuild_usage")
    assert [one.requests for one in ModelDay.objects.order_by("day")] == [1, 1]


def test_what_was_called_before_there_were_sums_is_counted_by_the_migration() -> None:
    written = [row(), row(NOON - timedelta(days=400), user_id="user_b")]
    write(written)
    ModelDay.objects.all().delete()
    CallerDay.objects.all().delete()
    write([later := row(duration_ms=5)])
    migration = importlib.import_module("chatapi.migrations.0007_usage_of_earlier_days")
    for _ in range(2):
        migration.count_earlier_days(None, SimpleNamespace(connection=connections[DEFAULT_DB_ALIAS]))
    check([*written, later])


def test_a_day_is_that_of_the_time_in_utc() -> None:
    write([row(datetime.fromisoformat("2026-11-20T23:59:59.999999-05:00"))])
    assert ModelDay.objects.get().day == date(2026, 11, 21)


def test_durations_that_come_one_by_one_are_merged_now_and_then() -> None:
    written = [row(duration_ms=number % 3) for number in range(3 * counting.ROOM)]
    longest = 0
    for one in written:
        write([one])
        longest = max(longest, len(ModelDay.objects.get().durations))
    assert longest == counting.ROOM - 1
    check(written)


def test_the_last_call_is_the_latest_whatever_the_order_of_writing() -> None:
    write([row(NOON)])
    write([row(NOON - timedelta(hours=1))])
    assert ModelDay.objects.get().last_at == NOON


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(durations=st.lists(st.integers(0, 5000), min_size=1, max_size=40))
def test_percentiles_are_the_same_for_one_row_and_for_many(db: None, durations: list[int]) -> None:
    empty()
    write(row(duration_ms=ms, user_id=f"user_{place % 3}") for place, ms in enumerate(durations))
    ordered = sorted(map(rounded, durations))
    expected_ones = tuple(ordered[-(-len(ordered) * share // 100) - 1] for share in (50, 95))
    whole = ModelDay.objects.get()
    assert percentiles_of(whole.durations, whole.counts) == expected_ones
    assert find_percentiles(CallerDay.objects.all(), "model") == {"a": expected_ones}


@pytest.mark.parametrize(
    ("at", "calls"),
    [("2026-11-14T00:00:00Z", 1), ("2026-11-13T23:59:59.999999Z", 0), ("2026-11-20T12:00:00Z", 1)],
)
def test_a_week_is_today_and_the_six_days_before(echo: Core, at: str, calls: int) -> None:
    write([row(datetime.fromisoformat(at), core_id=echo.pk, outcome="failed")])
    activity = count_activity([echo.pk], at=NOON)[echo.pk]
    assert activity == Activity(calls, calls, datetime.fromisoformat(at))
