"""Database connections for the chat's async path: one small pool for each event loop, beside Django's own.

A connection is made by the caller who needs it. So a database that refuses is known at once and one that is back is
used at once; nobody waits for attempts that somebody else makes in the background.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import errors

from publishing.db.statements import FORGOTTEN, Row, StatementConnection, Values, array_text
from publishing.db.time_limits import DatabaseSilent
from publishing.process.per_loop import PerLoop

# A plan made anew for each call costs more than the call; the statements here are few and their best plan is fixed.
PLAN_CACHE_MODE: Final = "force_generic_plan"
OPTIONS: Final = f"-c plan_cache_mode={PLAN_CACHE_MODE} -c statement_timeout={{timeout}}"
# Older ones are replaced: their server processes grow, and an address may lead elsewhere by now.
LONGEST_LIFE_S: Final = 3600.0


class Pool:
    """At most `size` connections, made when they are needed and used again."""

    def __init__(self, size: int, timeout_s: float) -> None:
        self.in_use = 0
        self._turns = asyncio.Semaphore(size)
        self._timeout_s = timeout_s
        self._idle: list[StatementConnection] = []
        self._parameters = _parameters()
        self._is_closed = False

    @property
    def idle(self) -> int:
        """How many connections wait for a statement."""
        return len(self._idle)

    async def rows(
        self, statement: str, values: Values, deadline: float | None = None, *, is_once: bool = False
    ) -> list[Row]:
        """The rows that a statement gives, or an error within the time limit, all waiting included.

        `deadline`: the end of another limit than the pool's, by the monotonic clock. `is_once`: it is not sent again
        where it may have been carried out.
        """
        deadline = deadline or time.monotonic() + self._timeout_s
        await self._take_turn(deadline)
        try:
            while self._idle:
                connection = self._idle.pop()
                if connection.is_at_rest:
                    try:
                        return await self._ask(connection, statement, values, deadline)
                    except psycopg.OperationalError as error:
                        if is_once or connection.is_open or isinstance(error, DatabaseSilent):
                            raise
                        # It had died unnoticed since its last use, and so have the others.
                        self._close_idle()
                    except FORGOTTEN:
                        self._close_idle()  # so have the others, and nothing was done
                else:
                    connection.close()
            return await self._ask(await self._connect(deadline), statement, values, deadline)
        finally:
            self.in_use -= 1
            self._turns.release()

    def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        self._is_closed = True
        self._close_idle()

    async def _take_turn(self, deadline: float) -> None:
        if self._turns.locked():
            async with _limited(deadline):
                await self._turns.acquire()
        else:
            await self._turns.acquire()
        self.in_use += 1

    async def _connect(self, deadline: float) -> StatementConnection:
        async with _limited(deadline):
            connection = await StatementConnection.connect(self._parameters)
        connection.expires_at = time.monotonic() + LONGEST_LIFE_S
        return connection

    async def _ask(self, connection: StatementConnection, statement: str, values: Values, deadline: float) -> list[Row]:
        is_useful = True
        try:
            return await connection.rows(statement, values, deadline)
        except (errors.ReadOnlySqlTransaction, *FORGOTTEN):
            is_useful = False  # the next connection may lead to the server that took over
            raise
        finally:
            if is_useful and self._is_usable(connection):
                self._idle.append(connection)
            else:
                connection.close()

    def _is_usable(self, connection: StatementConnection) -> bool:
        return connection.is_at_rest and not self._is_closed and time.monotonic() < connection.expires_at

    def _close_idle(self) -> None:
        closing, self._idle = self._idle, []
        for connection in closing:
            connection.close()


_pools = PerLoop(lambda: Pool(settings.DATABASE_POOL_SIZE, settings.DATABASE_TIMEOUT_S))


def current() -> Pool:
    """The pool of the running loop."""
    return _pools.current()


async def rows(statement: str, values: Values) -> list[Row]:
    """The rows that a statement gives; sent again when the connection had died unnoticed since its last use.

    So a statement that writes must be one that does nothing when it is sent a second time.
    """
    return await current().rows(statement, values)


async def rows_once(statement: str, values: Values) -> list[Row]:
    """The rows that a statement gives which must not be carried out twice; an error where it may have been."""
    return await current().rows(statement, values, is_once=True)


async def rows_for_each(statement: str, questions: Sequence[tuple[bytes | str, ...]], deadline: float) -> list[Row]:
    """One row for each of `questions`, in order, from a statement that takes an array of each of their parts."""
    parts = [array_text(part) for part in zip(*questions, strict=True)]
    return await current().rows(statement, parts, deadline)


async def close() -> None:
    """Close the running loop's pool, if it has one."""
    pool = _pools.pop()
    if pool is not None:
        pool.close()


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
    return kept | {
        "options": f"{given.get('options', '')} {options}".strip(),
        "autocommit": True,
    }
