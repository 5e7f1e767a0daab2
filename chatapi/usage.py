"""The ledger: one row for each run of a Core, however it ended, written in batches behind the answer.

A row is noted without waiting, so that a caller who hangs up is counted too, and written at once when no write is
under way; rows that come meanwhile go together in the next. What a process had noted but not written is lost only
when the process is killed outright: a drained shutdown writes everything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from weakref import WeakKeyDictionary

import msgspec
import psycopg
from msgspec import Struct

from publishing import pool

log = logging.getLogger(__name__)

MOST_WAITING = 20_000
RETRY_S = 1.0


class Row(Struct, frozen=True):
    """A run. Times in milliseconds; `first_token_ms` is None when no text was sent before the run ended."""

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


COLUMNS = ", ".join(Row.__struct_fields__)
INSERT = f"""
INSERT INTO chatapi_usagerecord ({COLUMNS})
SELECT {COLUMNS} FROM jsonb_populate_recordset(NULL::chatapi_usagerecord, %s::jsonb)
ON CONFLICT (request_id) DO NOTHING
"""  # noqa: S608  the columns are the fields above

TOUCH = """
UPDATE identity_apikey SET last_used_at = now()
WHERE id = ANY(%s) AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
"""


class Ledger:
    """What is noted and not yet written, in one event loop."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._keys: set[str] = set()
        self._writing: asyncio.Task[None] | None = None

    def note(self, row: Row) -> None:
        """Have `row` written soon."""
        if len(self._rows) >= MOST_WAITING:
            log.error("usage.lost: the database has been away for too long; a run of %s is not counted", row.model)
            return
        self._rows.append(row)
        self._wake()

    def touch(self, key_id: str) -> None:
        """Have the key's last use written soon."""
        self._keys.add(key_id)
        self._wake()

    async def flush(self) -> None:
        """Wait until everything noted so far is written."""
        while self._writing is not None:
            await asyncio.wait({self._writing})

    def _wake(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._rows or self._keys:
                rows, self._rows = self._rows, []
                keys, self._keys = self._keys, set()
                try:
                    await _store(rows, sorted(keys))
                except psycopg.OperationalError:
                    log.warning("usage.delayed: the database is away; %d runs wait", len(rows))
                    self._rows = [*rows, *self._rows]
                    self._keys |= keys
                    await asyncio.sleep(RETRY_S)
                except psycopg.Error:
                    log.exception("usage.lost: the database refused %d runs", len(rows))
        finally:
            self._writing = None


async def _store(rows: Sequence[Row], keys: list[str]) -> None:
    # Both may be sent again after a broken connection: neither does anything the second time.
    if keys:
        await pool.rows(TOUCH, [keys])
    if rows:
        await pool.rows(INSERT, [msgspec.json.encode(rows).decode()])


_ledgers: WeakKeyDictionary[asyncio.AbstractEventLoop, Ledger] = WeakKeyDictionary()


def _ledger() -> Ledger:
    return _ledgers.setdefault(asyncio.get_running_loop(), Ledger())


def record(row: Row) -> None:
    """Count one run."""
    _ledger().note(row)


def touch(key_id: str) -> None:
    """Note that a key was used."""
    _ledger().touch(key_id)


async def flush() -> None:
    """Wait until this process has written what it counted."""
    await _ledger().flush()
