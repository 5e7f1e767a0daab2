"""The end of the server, as its callers read it: what has run out of time is told so, instead of just being cut."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from chatapi.errors import ServerStopping

_has_begun = False


def begin() -> None:
    """The server ends: from now on a call that is cancelled has run out of the time that running calls may take."""
    global _has_begun
    _has_begun = True


@contextmanager
def told() -> Iterator[None]:
    """Turn the cancellation of a call by the end of the server into a refusal; every other cancellation goes on."""
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not _has_begun or task is None:
            raise
        task.uncancel()
        raise ServerStopping from None
