"""After a run: what it really used is counted in place of what was thought, and what nobody used is given back."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from publishing.limits.level import LEVEL
from publishing.limits.reservation import Taken


class SettledRow(Struct, frozen=True):
    """What one run used of one limit, and what it had taken of it. Tokens; a run that never began used nothing."""

    limit_id: str
    subject: str
    core_id: str
    prompt: int
    completion: int
    reserved: float
    at: float


# Cells in the order of their keys, as where they are taken from. A limit that was removed meanwhile is left out, and so
# is what was taken of a day or a month that is over: nothing of the new one was.
SETTLE = f"""
WITH changes AS (
    SELECT l.id, g.subject, sum(
        CASE l.measure WHEN 'requests' THEN 0
                       WHEN 'tokens' THEN g.prompt + g.completion
                       ELSE (g.prompt * p.prompt + g.completion * p.completion) / 1000000 END - g.reserved) AS change
    FROM jsonb_to_recordset(%s::jsonb) AS g (
        limit_id text, subject text, core_id text, prompt bigint, completion bigint, reserved numeric, at numeric)
    JOIN publishing_usagelimit l ON l.id = g.limit_id
    LEFT JOIN publishing_price p ON p.core_id = g.core_id
    WHERE l.per = 'minute' OR to_timestamp(g.at) >= date_trunc(l.per, clock_timestamp(), 'UTC')
    GROUP BY l.id, g.subject
)
INSERT INTO publishing_limitcell AS c (limit_id, subject, level, at, granted)
SELECT id, subject, greatest(0, change), clock_timestamp(), 0 FROM changes WHERE change <> 0 ORDER BY id, subject
ON CONFLICT (limit_id, subject) DO UPDATE SET (level, at) = (
    SELECT greatest(0, {LEVEL} + (SELECT change FROM changes WHERE id = c.limit_id AND subject = c.subject)),
           greatest(c.at, clock_timestamp())
    FROM publishing_usagelimit l WHERE l.id = c.limit_id
)
"""  # noqa: S608  our own text


def settle(taken: Iterable[Taken], core_id: str, *, prompt: int, completion: int) -> list[SettledRow]:
    """What is to be written for a run that used so many tokens; a request stays a request."""
    return [
        SettledRow(one.limit_id, one.subject, core_id, prompt, completion, one.cost, one.at)
        for one in taken
        if one.measure != "requests"
    ]


def give_back(taken: Iterable[Taken], core_id: str) -> list[SettledRow]:
    """What is to be written for a call that never ran: all that it got is there again."""
    return [SettledRow(one.limit_id, one.subject, core_id, 0, 0, one.cost, one.at) for one in taken if not one.refuses]
