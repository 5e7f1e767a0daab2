"""Runs that begin by themselves, at the times that a Core's live version names.

Every process looks for what is due; the database gives each due time to one of them. The next time is written before
the run begins, so a time is never run twice; one whose process dies in the run is not run again, as a caller's would
not be.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg

from chatapi import chat_request, runs, subflows
from chatapi.errors import ChatError
from identity import ids
from publishing import registry
from publishing.db import pool
from scaicore.nodes.entry import Missed
from scaicore.schedules import ProgramSchedule

log = logging.getLogger(__name__)

PURPOSE: Final = "schedule"
EVERY_S: Final = 2.0
# A time that nobody took for so long had no server that ran.
MISSED_AFTER: Final = timedelta(minutes=1)
MOST_AT_ONCE: Final = 16
DUE: Final = """
SELECT s.id, c.tenant_id, c.slug, s.entry, s.cron, s.timezone, s.missed, s.due_at, now()
FROM publishing_schedule s JOIN publishing_core c ON c.id = s.core_id
WHERE s.due_at <= now() ORDER BY s.due_at LIMIT 100
"""
# Whoever else has the row is taking this very time; and a row that another has taken is due later by then.
TAKE: Final = """
UPDATE publishing_schedule SET due_at = %s WHERE id = (
    SELECT id FROM publishing_schedule WHERE id = %s AND due_at = %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""
END: Final = """
DELETE FROM publishing_schedule WHERE id = (
    SELECT id FROM publishing_schedule WHERE id = %s AND due_at = %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""


class Due(NamedTuple):
    """A time that has come. `now` is the database's clock."""

    id: int
    tenant: str
    slug: str
    entry: str
    cron: str
    timezone: str
    missed: Missed
    due_at: datetime
    now: datetime

    @property
    def name(self) -> str:
        """The model's name, as the usage tells it."""
        return f"scaicore/{self.tenant}/{self.slug}"

    @property
    def is_skipped(self) -> bool:
        """Whether it is too late for a run."""
        return self.missed == "skip" and self.now - self.due_at > MISSED_AFTER


class Scheduler:
    """What one process takes of the times that are due, and the runs that it has begun."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    async def run_for_ever(self) -> None:
        """Look for what is due, again and again, until cancelled."""
        was_away = False
        while True:
            try:
                await self.begin_due()
                was_away = False
            except psycopg.Error:
                if not was_away:
                    log.warning("schedule.failed: the database is away; what is due meanwhile is run when it is back")
                was_away = True
            await asyncio.sleep(EVERY_S)

    async def begin_due(self) -> None:
        """Take what is due now, and begin to run it."""
        for due in [Due._make(row) for row in await pool.rows(DUE, [])]:
            if len(self._running) >= MOST_AT_ONCE:
                return
            if await take(due) and not due.is_skipped:
                task = asyncio.create_task(run(due))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def finish(self, timeout_s: float) -> None:
        """Let what has begun come to its end; what takes longer is broken off, and counted so."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=timeout_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def take(due: Due) -> bool:
    """Whether this process has the time, and no other. The next one is written, behind now: missed ones are one."""
    schedule = ProgramSchedule(due.entry, due.cron, due.timezone, due.missed)
    following = schedule.find_next(due.now)
    if following is None:
        return bool(await pool.rows(END, [due.id, due.due_at]))
    return bool(await pool.rows(TAKE, [following, due.id, due.due_at]))


async def run(due: Due) -> None:
    """One run, from its begin to its end; what fails is a line of the log and a row of the usage."""
    request_id = ids.new("req")
    try:
        await _run(due, request_id)
    except ChatError as error:
        log.warning("schedule.failed request_id=%s model=%s: %s", request_id, due.name, error)
    except psycopg.Error:
        log.warning("schedule.failed request_id=%s model=%s: the database is away", request_id, due.name)
    except Exception:
        log.exception("schedule.failed request_id=%s model=%s", request_id, due.name)


async def _run(due: Due, request_id: str) -> None:
    caller = await registry.unattended(due.tenant, due.slug)
    if caller is None:
        return
    core = await registry.load(caller.version_id)
    given: dict[str, Any] = {"message": "", "scheduled_at": due.due_at.astimezone(UTC).isoformat()}
    started = time.monotonic()
    run = await runs.begin(
        caller,
        core,
        chat_request.invocation(due.name, given, None),
        purpose=PURPOSE,
        request_id=request_id,
        services=subflows.services(caller),
        entry=due.entry,
        # A schedule cannot say whose memory it means; where there is one for all calls, it is that.
        is_remembered=core.program.program.instance_mode == "singleton",
    )
    await run.finish()
    took_ms = round((time.monotonic() - started) * 1000)
    log.info("schedule.ran request_id=%s model=%s duration_ms=%d", request_id, due.name, took_ms)
