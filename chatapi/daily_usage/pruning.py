"""Usage records are removed when they are old enough, where the operator wants that. The sums of their days stay."""

from __future__ import annotations

import asyncio
from typing import Final

from publishing.db import pool

# The oldest were written first, so they are found where the ids begin, however many there are behind. From which day on
# all are still there is noted in the same statement: no rebuild may take a day that is half gone for a whole one.
PRUNE: Final = """
WITH cut AS (
    SELECT (date_trunc('day', now() AT TIME ZONE 'UTC') - make_interval(days => %s))::date AS day
), old AS (
    SELECT r.id FROM cut, LATERAL (SELECT id, at FROM chatapi_usagerecord ORDER BY id LIMIT 2000) AS r
    WHERE r.at < cut.day AT TIME ZONE 'UTC'
), noted AS (
    INSERT INTO chatapi_keptusage AS k (id, since) SELECT 1, day FROM cut WHERE EXISTS (SELECT FROM old)
    ON CONFLICT (id) DO UPDATE SET since = excluded.since WHERE k.since < excluded.since
), gone AS (
    DELETE FROM chatapi_usagerecord WHERE id IN (SELECT id FROM old) RETURNING id
)
SELECT count(*) FROM gone
"""
PAUSE_S: Final = 0.02


async def prune(days: int) -> None:
    """Remove the records of all days but the last `days` and today, a few at a time."""
    while True:
        [(gone,)] = await pool.rows(PRUNE, [days])
        if not gone:
            return
        await asyncio.sleep(PAUSE_S)
