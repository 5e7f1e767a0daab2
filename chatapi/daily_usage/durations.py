"""The median and the slow end of durations, from what the sums of days keep of them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Func, QuerySet

# Exact for durations that are rounded to two digits: the first that half, or 95 of 100, do not exceed.
PERCENTILES: Final = """
SELECT part, min(ms) FILTER (WHERE upto * 100 >= of_all * 50), min(ms) FILTER (WHERE upto * 100 >= of_all * 95)
FROM (
    SELECT part, ms, sum(sum(n)) OVER (PARTITION BY part ORDER BY ms) AS upto,
           sum(sum(n)) OVER (PARTITION BY part) AS of_all
    FROM ({listed}) AS listed (part, ms, n) GROUP BY part, ms
) AS ranked
GROUP BY part
"""


class Percentiles(NamedTuple):
    """Milliseconds that half of the runs, and 95 of 100, do not exceed; None where nothing ran."""

    p50: int | None = None
    p95: int | None = None


NOTHING: Final = Percentiles()


class Listed(Func):
    """A row for each element of an array; two of these side by side go together."""

    function = "unnest"
    arity = 1
    set_returning = True


def find_percentiles(days: QuerySet[Any], part: str) -> dict[Any, Percentiles]:
    """Those of the sums in `days`, for each value of a field or an annotation."""
    listed = days.order_by().annotate(ms=Listed("durations"), n=Listed("counts")).values_list(part, "ms", "n")
    try:
        text, values = listed.query.sql_with_params()
    except EmptyResultSet:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(PERCENTILES.format(listed=text), values)
        return {value: Percentiles(p50, p95) for value, p50, p95 in cursor.fetchall()}


def percentiles_of(durations: Sequence[int], counts: Sequence[int]) -> Percentiles:
    """Those of one row of sums."""
    listed: Counter[int] = Counter()
    for ms, n in zip(durations, counts, strict=True):
        listed[ms] += n
    ordered = sorted(listed)
    upto = list(accumulate(listed[ms] for ms in ordered))
    if not upto:
        return NOTHING
    return Percentiles(*(ordered[bisect_left(upto, -(-upto[-1] * share // 100))] for share in (50, 95)))
