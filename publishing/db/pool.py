"""Database connections for the chat's async path: one small pool for each event loop, beside Django's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Values = Sequence[Any] | Mapping[str, Any]
Pool = AsyncConnectionPool[AsyncConnection[TupleRow]]

_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()

# A plan made anew for each call costs more than the call; the statements here are few and their best plan is fixed.
OPTIONS = "-c plan_cache_mode=force_generic_plan -c statement_timeout={timeout}"


async def acquire() -> Pool:
    """The open pool of the running loop."""
    loop = asyncio.get_running_loop()
    pool = _pools.get(loop)
    if pool is None:
        pool = _pools[loop] = _new()
        await pool.open()
    return pool


async def rows(statement: str, values: Values) -> list[tuple[Any, ...]]:
    """The rows that a statement gives; sent again when the connection had died unnoticed since its last use.

    So a statement that writes must be one that does nothing when it is sent a second time.
    """
    pool = await acquire()
    for _ in range(pool.max_size):
        async with pool.connection() as connection:
            try:
                cursor = await connection.execute(statement, values)
                return await cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                if not connection.broken:
                    raise
    raise psycopg.OperationalError("every connection of the pool was broken")


async def rows_for_each(statement: str, questions: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """One row for each of `questions`, in order, from a statement that takes an array of each of their parts."""
    return await rows(statement, [list(part) for part in zip(*questions, strict=True)])


async def close() -> None:
    """Close the running loop's pool, if it has one."""
    pool = _pools.pop(asyncio.get_running_loop(), None)
    if pool is not None:
        await pool.close()


def _new() -> Pool:
    return AsyncConnectionPool(
        kwargs=_parameters(),
        min_size=2,
        max_size=max(2, settings.DATABASE_POOL_SIZE),
        timeout=settings.DATABASE_TIMEOUT_S,
        open=False,
    )


def _parameters() -> dict[str, object]:
    """Django's own connection parameters, so that both sides always speak to the same database."""
    given = connections[DEFAULT_DB_ALIAS].get_connection_params()
    options = OPTIONS.format(timeout=int(settings.DATABASE_TIMEOUT_S * 1000))
    left_out = ("cursor_factory", "context", "prepare_threshold", "server_side_binding")
    kept = {name: value for name, value in given.items() if name not in left_out}
    # Prepared at the first execution: every statement that comes this way comes again.
    return kept | {"options": options, "autocommit": True, "prepare_threshold": 0, "connect_timeout": 5}
