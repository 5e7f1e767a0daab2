"""The sums of a day compared with its records, and corrected, while others write.

Records and sums change together, so in one snapshot their difference is what is wrong, however many write at that
moment; it is added to whatever the sums are by then. Nobody is waited for but those whose rows are being corrected.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db import connection, transaction

from chatapi.daily_usage.counting import MERGED, SUMS, TABLES, add_to, count_in

# Any number will do, as long as nobody else in this database takes the same.
LOCK: Final = 5_741_203_999
IS_WHOLE: Final = "{day} >= coalesce((SELECT since FROM chatapi_keptusage), '-infinity')"
DAYS: Final = f"""
SELECT DISTINCT (at AT TIME ZONE 'UTC')::date AS day FROM chatapi_usagerecord
WHERE at >= %s AND {IS_WHOLE.format(day="at AT TIME ZONE 'UTC'")} ORDER BY day
"""  # noqa: S608  our own text
OF_DAY: Final = "chatapi_usagerecord WHERE at >= %(begin)s AND at < %(end)s"
# What is held is taken off: its counts once more, below nothing. A day without any record keeps its sums: the records
# were removed, and the sums are what is left of them.
DIFFERENCE: Final = """SELECT {key}, {differences}, coalesce(r.last_at, h.last_at) AS last_at,
        coalesce(r.durations, '{{}}') || coalesce(h.durations, '{{}}') AS durations,
        coalesce(r.counts, '{{}}') || coalesce(h.less, '{{}}') AS counts
    FROM ({counted}) AS r FULL JOIN (
        SELECT {key}, {sums}, last_at, merged.*,
            (SELECT array_agg(-n ORDER BY place) FROM unnest(merged.counts) WITH ORDINALITY AS u (n, place)) AS less
        FROM {table} AS held, LATERAL ({merged}) AS merged (durations, counts)
        WHERE day = %(day)s AND NOT {is_empty}
    ) AS h USING ({key})
    WHERE ({in_records}) IS DISTINCT FROM ({in_sums}) AND EXISTS (SELECT FROM {of_day}) AND {is_whole}"""
IS_EMPTY: Final = "(requests, errors, prompt_tokens, completion_tokens, held.counts) = (0, 0, 0, 0, '{}')"
# What somebody writes to just now is not waited for; an empty row does no harm.
FORGET_EMPTY: Final = """
DELETE FROM {table} WHERE id IN (
    SELECT id FROM {table} AS held WHERE day = %(day)s AND {is_empty} FOR UPDATE SKIP LOCKED)
"""


def days_with_records(*, since: date = date(1970, 1, 1)) -> list[date]:
    """The days that can be counted again, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(DAYS, [_midnight(since)])
        return [day for (day,) in cursor.fetchall()]


def rebuild(day: date) -> int:
    """Correct the sums of a day; how many of its rows were wrong.

    Each table in a transaction of its own: whoever writes to a row that was corrected need not wait for the other one.
    """
    return sum(_correct(table, day) for table in TABLES)


def count_wrong(day: date) -> int:
    """How many rows of the sums of a day differ from its records."""
    with connection.cursor() as cursor:
        wrong = 0
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM ({difference(table)}) AS wrong", _values(day))  # noqa: S608
            wrong += cursor.fetchone()[0]
        return wrong


def difference(table: str) -> str:
    """The query for what the sums of a day lack, by key; negative where they have too much."""
    compared = (*SUMS, "durations", "counts")
    return DIFFERENCE.format(
        table=table,
        merged=MERGED.format(durations="held.durations", counts="held.counts"),
        sums=", ".join(SUMS),
        key=", ".join(TABLES[table]),
        differences=", ".join(f"coalesce(r.{name}, 0) - coalesce(h.{name}, 0) AS {name}" for name in SUMS),
        counted=count_in(OF_DAY, TABLES[table]),
        of_day=OF_DAY,
        is_whole=IS_WHOLE.format(day="%(day)s"),
        is_empty=IS_EMPTY,
        in_records=", ".join(f"r.{name}" for name in compared),
        in_sums=", ".join(f"h.{name}" for name in compared),
    )


def _correct(table: str, day: date) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        # Two at once would each add the same difference.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(add_to(table, difference(table)), _values(day))
        wrong: int = cursor.rowcount
        cursor.execute(FORGET_EMPTY.format(table=table, is_empty=IS_EMPTY), _values(day))
    return wrong


def _values(day: date) -> dict[str, Any]:
    return {"day": day, "begin": _midnight(day), "end": _midnight(day + timedelta(days=1))}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
