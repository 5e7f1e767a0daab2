"""Taking from limits, in the statement that decides about a call: exact across processes, by row locks alone.

All calls of a batch that count on the same cell are put to it together, in the order in which they came, since an
`INSERT … ON CONFLICT` may not touch a row twice; it says which of them fit, one after the other, and one that is too
large keeps no other out. Cells are locked in the order of their keys, so that two batches never wait for each other.
"""

from __future__ import annotations

from typing import NamedTuple

from publishing.limits.level import LEVEL


class Estimate(NamedTuple):
    """The tokens that a call is thought to need, before its run has told."""

    prompt: int
    completion: int


class Taken(NamedTuple):
    """What a call took of one limit.

    `cost` is what it asked for, and `is_within` whether that was there; a soft limit gives it all the same. `used` is
    what counted as taken of `amount` with its batch, and `resets_s` is in how many seconds all of that is there again.
    `at` is when it was taken, in Unix seconds by the database's clock.
    """

    limit_id: str
    subject: str
    measure: str
    per: str
    is_soft: bool
    amount: float
    cost: float
    used: float
    is_within: bool
    resets_s: float
    at: float

    @property
    def refuses(self) -> bool:
        """Whether the call may not go on."""
        return not self.is_within and not self.is_soft

    @property
    def remaining(self) -> float:
        """What is left."""
        return max(0.0, self.amount - self.used)


# To stand behind a CTE `decided` with the columns named here. Gives `taken (index, limits)`.
TAKE = f"""
, wanted AS (
    SELECT l.id AS limit_id, d.index, l.measure, l.per, l.is_soft, l.amount,
           CASE l.each WHEN 'user' THEN d.user_id WHEN 'key' THEN d.key_id ELSE '' END AS subject,
           CASE l.measure WHEN 'requests' THEN 1
                          WHEN 'tokens' THEN greatest(1, d.prompt + d.completion)
                          ELSE (d.prompt * p.prompt + d.completion * p.completion) / 1000000 END::numeric AS cost
    FROM decided d
    JOIN publishing_usagelimit l ON l.tenant_id = d.tenant_id
        AND (l.core_id IS NULL OR l.core_id = d.publication_id)
        AND (l.user_id IS NULL OR l.user_id = d.user_id)
        AND (l.key_id IS NULL OR l.key_id = d.key_id)
        AND (l.group_id IS NULL OR EXISTS (
            WITH RECURSIVE mine (group_id) AS (
                SELECT m.group_id FROM identity_membership m WHERE m.user_id = d.user_id
                UNION
                SELECT n.parent_id FROM identity_nesting n JOIN mine ON n.child_id = mine.group_id
            )
            SELECT 1 FROM mine WHERE mine.group_id = l.group_id))
    LEFT JOIN publishing_price p ON p.core_id = d.publication_id
    WHERE d.may_call AND (l.measure <> 'money' OR p.core_id IS NOT NULL)
)
, placed AS (
    SELECT w.*, row_number() OVER (PARTITION BY limit_id, subject ORDER BY index) AS place FROM wanted w
)
, cells AS (
    SELECT limit_id, subject, amount, is_soft, array_agg(cost ORDER BY index) AS asked
    FROM placed GROUP BY limit_id, subject, amount, is_soft
)
, given AS (
    INSERT INTO publishing_limitcell AS c (limit_id, subject, level, at, granted, asked, fits)
    SELECT limit_id, subject, f.granted, clock_timestamp(), f.granted, asked, f.fits
    FROM cells CROSS JOIN LATERAL publishing_fitting(asked, amount, is_soft) f ORDER BY limit_id, subject
    ON CONFLICT (limit_id, subject) DO UPDATE SET (level, at, granted, asked, fits) = (
        SELECT now.level + f.granted, greatest(c.at, clock_timestamp()), f.granted, NULL::numeric[], f.fits
        FROM publishing_usagelimit l
        CROSS JOIN LATERAL (SELECT {LEVEL} AS level) now
        CROSS JOIN LATERAL publishing_fitting(EXCLUDED.asked, l.amount - now.level, l.is_soft) f
        WHERE l.id = c.limit_id
    )
    RETURNING c.limit_id, c.subject, c.level, c.at, c.fits
)
, taken AS (
    SELECT p.index, jsonb_agg(jsonb_build_array(
        p.limit_id, p.subject, p.measure, p.per, p.is_soft, p.amount, p.cost, g.level,
        g.fits[p.place] AND (g.level <= p.amount OR NOT p.is_soft),
        CASE p.per WHEN 'minute' THEN 60 * g.level / p.amount
             ELSE extract(epoch FROM date_trunc(p.per, now(), 'UTC') + ('1 ' || p.per)::interval - now()) END,
        extract(epoch FROM g.at)
    ) ORDER BY p.limit_id) AS limits
    FROM placed p JOIN given g USING (limit_id, subject) GROUP BY p.index
)
"""  # noqa: S608  our own text


def read(limits: list[list[object]] | None) -> tuple[Taken, ...]:
    """What the statement says of one call."""
    return tuple(Taken._make(limit) for limit in limits or ())
