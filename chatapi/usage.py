"""The ledger: one row for each run of a Core, however it ended, written in batches behind the answer.

A row is noted without waiting, so that a caller who hangs up is counted too. The first is written at once, and those
that come within `USAGE_GATHER_S` of it together, since most of the price of a write is that of a statement. What a
process had noted but not written is lost only when it is killed outright: a drained shutdown writes everything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import psycopg
from msgspec import Struct

from chatapi import traces
from chatapi.traces import NodeTrace, TraceRow
from identity import keys
from publishing import limits, refused_calls
from publishing.db import outages, pool
from publishing.process import metrics
from publishing.process.cached_settings import settings
from publishing.process.metrics import FinishedRun
from publishing.process.per_loop import PerLoop

log = logging.getLogger(__name__)

MOST_WAITING = 20_000
RETRY_S = 1.0

Row = TypeVar("Row")


class UsageRow(Struct, frozen=True):
    """A run. Times in milliseconds; `first_token_ms` is None when no text was sent before the run ended. `reason` and
    `node_id` say why and where a run failed."""

    at: datetime
    request_id: str
    tenant_id: str
    user_id: str
    key_id: str
    core_id: str
    core_version: int
    model: str
    purpose: str
    is_streamed: bool
    outcome: str
    prompt_tokens: int
    completion_tokens: int
    duration_ms: int
    first_token_ms: int | None
    reason: str = ""
    node_id: str = ""


COLUMNS = ", ".join(UsageRow.__struct_fields__)
INSERT = f"""
INSERT INTO chatapi_usagerecord ({COLUMNS})
SELECT {COLUMNS} FROM jsonb_populate_recordset(NULL::chatapi_usagerecord, %s::jsonb)
ON CONFLICT (request_id) DO NOTHING
"""  # noqa: S608  the columns are the fields above


class Ledger:
    """What is noted and not yet written, in one event loop: rows by the statement that writes them."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Struct]] = {}
        self._key_ids: set[str] = set()
        self._writing: asyncio.Task[None] | None = None
        self._is_urgent = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many rows are not written yet."""
        return sum(map(len, self._rows.values()))

    def note(self, statement: str, row: Struct) -> None:
        """Have `row` written soon."""
        rows = self._rows.setdefault(statement, [])
        # While the database is away, rows pile up; losing some is better than running out of memory.
        if len(rows) >= MOST_WAITING:
            log.error("usage.lost: the database has been away for too long; a run is not counted")
            _count_lost()
            return
        rows.append(row)
        self._wake()

    def touch(self, key_id: str) -> None:
        """Have the key's last use written soon."""
        self._key_ids.add(key_id)
        self._wake()

    async def flush(self) -> None:
        """Wait until everything noted so far is written."""
        while self._writing is not None:
            self._is_urgent.set()
            await asyncio.wait({self._writing})

    def _wake(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._rows or self._key_ids:
                # Any of these may be sent again after a broken connection: none does anything the second time.
                key_ids, self._key_ids = self._key_ids, set()
                self._key_ids |= set(await _store(keys.TOUCH, sorted(key_ids), list))
                for statement in list(self._rows):
                    left = await _store(statement, self._rows.pop(statement), _as_json)
                    if left:
                        self._rows[statement] = [*left, *self._rows.get(statement, [])]
                await self._gather()
        finally:
            self._writing = None
            self._is_urgent.clear()

    async def _gather(self) -> None:
        """Let more rows come, unless somebody waits for those that are there."""
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.USAGE_GATHER_S):
                await self._is_urgent.wait()


def _finished(row: UsageRow) -> FinishedRun:
    first_token_s = None if row.first_token_ms is None else row.first_token_ms / 1000
    return FinishedRun(
        row.model,
        row.purpose,
        row.outcome,
        row.is_streamed,
        row.duration_ms / 1000,
        first_token_s,
        row.prompt_tokens,
        row.completion_tokens,
    )


def _trace_row(row: UsageRow, nodes: list[NodeTrace], given: Any) -> TraceRow:
    return TraceRow(
        row.at,
        row.request_id,
        row.tenant_id,
        row.user_id,
        row.core_id,
        row.core_version,
        row.outcome,
        row.duration_ms,
        nodes,
        given,
    )


async def _store(statement: str, rows: Sequence[Row], encode: Callable[[Sequence[Row]], object]) -> Sequence[Row]:
    """Those of `rows` that are to be written later. One that can never be written is given up, and takes none along."""
    if not rows:
        return []
    is_once = statement is limits.SETTLE
    send = pool.rows_once if is_once else pool.rows
    try:
        await send(statement, [encode(rows)])
        if metrics.active is not None and statement is INSERT:
            metrics.active.note_written(len(rows))
    except (psycopg.Error, ValueError) as error:
        is_outage = outages.is_outage(error)
        if is_once and (is_outage or len(rows) == 1):
            # Nobody knows whether it was done: what was taken stays counted as it was estimated.
            log.warning("limits.unsettled: %s; %d rows", outages.explain(error), len(rows))
            return []
        if is_outage:
            log.warning("usage.delayed: %s; %d rows wait", outages.explain(error), len(rows))
            await asyncio.sleep(RETRY_S)
            return rows
        if len(rows) > 1:
            half = len(rows) // 2
            parts = [await _store(statement, part, encode) for part in (rows[:half], rows[half:])]
            return [*parts[0], *parts[1]]
        log.error("usage.lost: a row cannot be kept (%s)", type(error).__name__)
        _count_lost()
    return []


def _count_lost() -> None:
    if metrics.active is not None:
        metrics.active.note_lost()


def _as_json(rows: Sequence[Struct]) -> str:
    return msgspec.json.encode(rows).decode()


_ledgers = PerLoop(Ledger)


def record(row: UsageRow, nodes: list[NodeTrace] | None = None, given: Any = None) -> None:
    """Count one run, and keep what its `nodes` did with the input `given` where the flow asks for that."""
    if metrics.active is not None:
        metrics.active.note_run(_finished(row))
    _ledgers.current().note(INSERT, row)
    if nodes is not None:
        _ledgers.current().note(traces.INSERT, _trace_row(row, nodes, given))


def settle(row: limits.SettledRow) -> None:
    """Count what a call used of a limit, or give back what it did not."""
    _ledgers.current().note(limits.SETTLE, row)


def record_refusal(core_id: str, user_id: str, at: datetime) -> None:
    """Note that a user was refused a model of their own tenant."""
    _ledgers.current().note(refused_calls.INSERT, refused_calls.RefusedRow(core_id, user_id, at))


def touch(key_id: str) -> None:
    """Note that a key was used."""
    _ledgers.current().touch(key_id)


def count_waiting() -> int:
    """How many rows this process has not written yet."""
    return _ledgers.current().waiting


async def flush() -> None:
    """Wait until this process has written what it counted."""
    await _ledgers.current().flush()
