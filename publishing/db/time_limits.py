"""How long the database may keep a caller waiting, measured here: a server that was stopped answers nothing at all.

PostgreSQL's own limits do not help then. `statement_timeout` is kept by the server, and libpq's `connect_timeout` and
`tcp_user_timeout` end where the connection stands.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import psycopg

Waits = TypeVar("Waits")
Ready = TypeVar("Ready")
Result = TypeVar("Result")


class DatabaseSilent(psycopg.OperationalError):
    """The database did not answer in the time that it had."""


class TimeLimit:
    """What is left of the seconds that one request may wait for the database, all its statements together."""

    def __init__(self, seconds: float) -> None:
        self.left_s = seconds

    @contextmanager
    def waiting(self) -> Iterator[float]:
        """Gives the moment, by the monotonic clock, at which this wait must end; what it took is gone."""
        started = time.monotonic()
        try:
            yield started + self.left_s
        finally:
            self.left_s -= time.monotonic() - started


_current: ContextVar[TimeLimit | None] = ContextVar("database_time_limit", default=None)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Within this block, threads that it starts through asgiref included, Django waits no longer than `seconds`."""
    token = _current.set(TimeLimit(seconds))
    try:
        yield
    finally:
        _current.reset(token)


def current() -> TimeLimit | None:
    """The limit of the running request; None in a command, which may take its time."""
    return _current.get()


def until(deadline: float, steps: Generator[Waits, Ready, Result]) -> Generator[Waits, Ready, Result]:
    """The same steps of a psycopg operation; `DatabaseSilent` where they would wait past `deadline`.

    psycopg asks for the next step at least ten times a second, whether or not anything came.
    """
    try:
        waits = next(steps)
        while True:
            ready = yield waits
            if not ready and time.monotonic() >= deadline:
                raise DatabaseSilent("no answer in time")
            waits = steps.send(ready)
    except StopIteration as end:
        result: Result = end.value
        return result
