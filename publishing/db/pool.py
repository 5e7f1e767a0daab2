"""Database connections for the chat's async path: one small pool for each event loop, beside Django's own.

A connection is made by the caller who needs it. So a database that refuses is known at once and one that is back is
used at once; nobody waits for attempts that somebody else makes in the background.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from publishing.db import time_limits
from publishing.db.time_limits import DatabaseSilent

Values = Sequence[Any] | Mapping[str, Any]
Result = TypeVar("Result")

# A plan made anew for each call costs more than the call; the statements here are few and their best plan is fixed.
OPTIONS: Final = "-c plan_cache_mode=force_generic_plan -c statement_timeout={timeout}"
# Older ones are replaced: their server processes grow, and an address may lead elsewhere by now.
LONGEST_LIFE_S: Final = 3600.0
INTERVAL_S: Final = 0.1


class TimedAsyncConnection(psycopg.AsyncConnection[Any]):
    """A connection that waits no longer than until `deadline`, by the monotonic clock, and is closed then."""

    deadline = 0.0
    expires_at = 0.0
    # psycopg's word for "to be left open when the program ends is normal".
    _pool = None

    async def wait(
        self,
        gen: PQGen[Result],
        interval: float = INTERVAL_S,
        timeout: float | None = None,  # noqa: ASYNC109  psycopg's signature
    ) -> Result:
        """What `gen` gives; every statement and fetch waits here."""
        try:
            return await super().wait(time_limits.until(self.deadline, gen), interval, timeout)
        except DatabaseSilent:
            # Not `close`, and no cancelling: neither may wait for the server once more.
            self.pgconn.finish()
            raise


class Pool:
    """At most `size` connections, made when they are needed and used again."""

    def __init__(self, size: int, timeout_s: float) -> None:
        self.in_use = 0
        self._turns = asyncio.Semaphore(size)
        self._timeout_s = timeout_s
        self._idle: list[TimedAsyncConnection] = []
        self._parameters = _parameters()
        self._is_closed = False

    async def rows(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        """The rows that a statement gives, or an error within the time limit, all waiting included."""
        deadline = time.monotonic() + self._timeout_s
        async with self._turn(deadline):
            if self._idle:
                connection = self._idle.pop()
                try:
                    return await self._ask(connection, statement, values, deadline)
                except psycopg.OperationalError as error:
                    if not connection.closed or isinstance(error, DatabaseSilent):
                        raise
                    # It had died unnoticed since its last use, and so have the others.
                    await self._close_idle()
            return await self._ask(await self._connect(deadline), statement, values, deadline)

    async def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        self._is_closed = True
        await self._close_idle()

    @asynccontextmanager
    async def _turn(self, deadline: float) -> AsyncIterator[None]:
        if self._turns.locked():
            async with _limited(deadline):
                await self._turns.acquire()
        else:
            await self._turns.acquire()
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
            self._turns.release()

    async def _connect(self, deadline: float) -> TimedAsyncConnection:
        async with _limited(deadline):
            connection = await TimedAsyncConnection.connect(**self._parameters)
        connection.expires_at = time.monotonic() + LONGEST_LIFE_S
        return connection

    async def _ask(
        self, connection: TimedAsyncConnection, statement: str, values: Values, deadline: float
    ) -> list[tuple[Any, ...]]:
        connection.deadline = deadline
        is_writable = True
        try:
            cursor = await connection.execute(statement, values)
            # Not `description`, which makes an object for each column.
            has_rows = cursor.pgresult is not None and cursor.pgresult.nfields > 0
            return await cursor.fetchall() if has_rows else []
        except errors.ReadOnlySqlTransaction:
            is_writable = False  # the next connection may lead to the server that took over
            raise
        finally:
            if is_writable and self._is_usable(connection):
                self._idle.append(connection)
            else:
                await connection.close()

    def _is_usable(self, connection: TimedAsyncConnection) -> bool:
        is_at_rest = connection.pgconn.transaction_status == TransactionStatus.IDLE
        return is_at_rest and not self._is_closed and time.monotonic() < connection.expires_at

    async def _close_idle(self) -> None:
        closing, self._idle = self._idle, []
        for connection in closing:
            await connection.close()


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


def current() -> Pool:
    """The pool of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _pools:
        _pools[loop] = Pool(settings.DATABASE_POOL_SIZE, settings.DATABASE_TIMEOUT_S)
    return _pools[loop]


async def rows(statement: str, values: Values) -> list[tuple[Any, ...]]:
    """The rows that a statement gives; sent again when the connection had died unnoticed since its last use.

    So a statement that writes must be one that does nothing when it is sent a second time.
    """
    return await current().rows(statement, values)


async def rows_for_each(statement: str, questions: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """One row for each of `questions`, in order, from a statement that takes an array of each of their parts."""
    return await rows(statement, [list(part) for part in zip(*questions, strict=True)])


async def close() -> None:
    """Close the running loop's pool, if it has one."""
    pool = _pools.pop(asyncio.get_running_loop(), None)
    if pool is not None:
        await pool.close()


@asynccontextmanager
async def _limited(deadline: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            yield
    except TimeoutError:
        raise DatabaseSilent("no answer in time") from None


def _parameters() -> dict[str, Any]:
    """Django's own connection parameters, so that both sides always speak to the same database."""
    given = connections[DEFAULT_DB_ALIAS].get_connection_params()
    left_out = ("cursor_factory", "context", "prepare_threshold", "server_side_binding")
    kept = {name: value for name, value in given.items() if name not in left_out}
    options = OPTIONS.format(timeout=int(settings.DATABASE_TIMEOUT_S * 1000))
    # Prepared at the first execution: every statement that comes this way comes again.
    return kept | {
        "options": f"{given.get('options', '')} {options}".strip(),
        "autocommit": True,
        "prepare_threshold": 0,
    }
