"""How much of a limit counts as taken now. Written once, for every statement that asks."""

from __future__ import annotations

# Of a cell `c` and its limit `l`. A minute's limit flows: what was taken comes back evenly (a leaky bucket, which is
# what GCRA counts too). Days and months begin anew. The clock and not the transaction's time: a statement that waited
# for the row must not count back.
LEVEL = """
CASE l.per
    WHEN 'minute' THEN greatest(0, c.level - l.amount * extract(epoch FROM clock_timestamp() - c.at) / 60)
    ELSE CASE WHEN c.at >= date_trunc(l.per, clock_timestamp(), 'UTC') THEN c.level ELSE 0 END
END
"""
