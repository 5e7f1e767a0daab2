"""Time that this process itself has spent, so that a busy machine fails no test."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block may take so many seconds of the processor."""
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds
