"""How many streams each key has open in this process: one key must not take the connections of all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from chatapi import auth
from chatapi.errors import RateLimited

_open: Counter[bytes] = Counter()


def count_all() -> int:
    """How many streams are open in this process."""
    return _open.total()


@contextmanager
def counted(authorization: str | None) -> Iterator[None]:
    """Count a stream of the key in `authorization` until it ends; `RateLimited` when too many are open."""
    key = auth.digest_of(authorization)
    if _open[key] >= settings.MAX_STREAMS_PER_KEY:
        raise RateLimited
    _open[key] += 1
    try:
        yield
    finally:
        _open[key] -= 1
        if not _open[key]:
            del _open[key]
