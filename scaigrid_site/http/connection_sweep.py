"""One timer for all connections of a process: it hangs up on who is too slow."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

EVERY_S: Final = 1.0


class Connection(Protocol):
    """What is swept."""

    def check(self, now: float) -> None:
        """Hang up if whoever is at the other end was waited for long enough. `now` by the event loop's clock."""

    def give_up(self) -> None:
        """Hang up now: others need the place."""


class ConnectionSweep:
    """The connections of a process, and which of them wait for the rest of a request, the longest first."""

    def __init__(self) -> None:
        self._connections: set[Connection] = set()
        self._waiting: dict[Connection, None] = {}
        self._is_running = False

    def add(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        """Watch `connection` until it is removed."""
        self._connections.add(connection)
        if not self._is_running:
            self._is_running = True
            loop.call_later(EVERY_S, self._sweep, loop)

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._connections.discard(connection)
        self._waiting.pop(connection, None)

    def begin_waiting(self, connection: Connection, most: int) -> None:
        """Count one that has not sent its whole request; beyond `most`, the one that has taken longest goes."""
        self._waiting[connection] = None
        if len(self._waiting) > most:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.give_up()

    def end_waiting(self, connection: Connection) -> None:
        """The whole request is there."""
        self._waiting.pop(connection, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in list(self._connections):
            connection.check(now)
        self._is_running = bool(self._connections)
        if self._is_running:
            loop.call_later(EVERY_S, self._sweep, loop)
