"""From usage records to the sums of their days: one meaning for the record that is written now and for a whole day.

`BODY` is that of a trigger which a migration made. It runs in the statement that writes records and sees those that
were really inserted: so a batch that is sent twice, cut in halves or written by a process of an older version counts
each record once, together with the record or not at all.
"""

from __future__ import annotations

from typing import Final

MODEL_KEY: Final = ("tenant_id", "day", "core_id", "model", "purpose")
CALLER_KEY: Final = ("tenant_id", "day", "user_id", "key_id", "core_id", "model", "purpose")
TABLES: Final = {"chatapi_modelday": MODEL_KEY, "chatapi_callerday": CALLER_KEY}
SUMS: Final = ("requests", "errors", "prompt_tokens", "completion_tokens")
FIGURES: Final = (*SUMS, "last_at", "durations", "counts")

# A caller who leaves is no fault of the model. Durations are rounded to two digits: 7, 42, 1300.
COUNTED: Final = """SELECT {key}, sum(n)::bigint AS requests, sum(errors)::bigint AS errors,
           sum(prompt_tokens)::bigint AS prompt_tokens, sum(completion_tokens)::bigint AS completion_tokens,
           max(last_at) AS last_at, array_agg(ms ORDER BY ms) AS durations, array_agg(n ORDER BY ms) AS counts
    FROM (
        SELECT {key_of_record}, round(duration_ms, 2 - length(duration_ms::text))::integer AS ms,
               count(*) AS n, count(*) FILTER (WHERE outcome IN ('failed', 'timed_out')) AS errors,
               sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens, max(at) AS last_at
        FROM {records} GROUP BY {key}, ms
    ) AS by_duration
    GROUP BY {key}"""

# Each duration once, with all that is counted for it.
MERGED: Final = """SELECT coalesce(array_agg(ms ORDER BY ms), '{{}}'), coalesce(array_agg(n ORDER BY ms), '{{}}')
            FROM (
                SELECT ms, sum(n)::bigint AS n FROM unnest({durations}, {counts}) AS listed (ms, n)
                GROUP BY ms HAVING sum(n) <> 0
            ) AS by_duration"""
# To merge costs as much as all the rest of a write, and most of a day's writes are of a few runs. So what comes is put
# behind what is there, and every 64th duration has all of them merged; so has what a rebuild takes off.
ROOM: Final = 64
HAS_ROOM: Final = f"""cardinality(d.counts) / {ROOM} = (cardinality(d.counts) + cardinality(excluded.counts)) / {ROOM}
                AND 0 < ALL (excluded.counts)"""
# Rows are locked in the order of their keys, so that writers never wait for each other in a circle.
ADD: Final = """INSERT INTO {table} AS d ({key}, {figures})
    {sums}
    ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET
        {added}, last_at = greatest(d.last_at, excluded.last_at),
        (durations, counts) = (
            SELECT d.durations || excluded.durations, d.counts || excluded.counts
            WHERE {has_room}
            UNION ALL
            SELECT * FROM ({merged}) AS merged
            WHERE NOT ({has_room})
        )"""


def count_in(records: str, key: tuple[str, ...]) -> str:
    """The query for the sums of `records`, a table that may have a WHERE behind it, by `key`."""
    of_record = [f"(at AT TIME ZONE 'UTC')::date AS {name}" if name == "day" else name for name in key]
    return COUNTED.format(key=", ".join(key), key_of_record=", ".join(of_record), records=records)


def add_to(table: str, sums: str) -> str:
    """The statement that adds the sums of a query to those of a table."""
    merged = MERGED.format(durations="d.durations || excluded.durations", counts="d.counts || excluded.counts")
    added = ", ".join(f"{name} = d.{name} + excluded.{name}" for name in SUMS)
    return ADD.format(
        table=table,
        key=", ".join(TABLES[table]),
        figures=", ".join(FIGURES),
        sums=sums,
        added=added,
        has_room=HAS_ROOM,
        merged=merged,
    )


# `inserted` is what PostgreSQL calls the new records in the trigger.
STATEMENTS: Final = tuple(add_to(table, count_in("inserted", key)) for table, key in TABLES.items())
BODY: Final = "BEGIN\n    " + ";\n    ".join(STATEMENTS) + ";\n    RETURN NULL;\nEND"
