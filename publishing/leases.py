"""Leases: which request holds an entity's row, for how long, and how the others wait for it.

A lease is two columns of the row: the id of the request that holds it, and a time. It ends by the database's clock, the
one clock that all processes share, so a process that dies holds nothing for longer than `LEASE_S`. No connection is
held meanwhile, which a row lock would need for as long as a language model takes to answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar
from weakref import WeakValueDictionary

import psycopg
from django.conf import settings

from publishing.db import outages, pool
from publishing.db.statements import Values
from publishing.models import Partition

LEASE_S: Final = 15.0
# A third of the lease: one renewal may fail, even two, before a turn that is alive loses its entity.
RENEW_S: Final = 5.0
FIRST_PAUSE_S: Final = 0.005
LONGEST_PAUSE_S: Final = 0.1
RETRY_S: Final = 1.0

Result = TypeVar("Result")


class LeaseTimeout(Exception):
    """Another turn of the entity was under way for the whole time that was waited."""


class MemoryFull(Exception):
    """The owner has as many entities of this Core as the operator allows, and this would be a new one."""


class MemoryKey(NamedTuple):
    """Which memory. `owner` is a user id, or empty where the memory belongs to the tenant."""

    core_id: str
    partition: Partition
    owner: str
    entity_id: str


class LeasedEntity(NamedTuple):
    """An entity's row as it was when its lease began. `now`: when that was, Unix seconds by the database's clock."""

    id: int
    state: dict[str, Any]
    resume: dict[str, Any] | None
    now: float


# Makes the row where there is room for it, or takes it if it is free: nobody holds it, or its holder's time is up. One
# that the same request holds counts as free too, because the pool sends a statement again when the connection broke
# before the answer came. Entities are counted for a new one alone, and a few that begin at one moment may pass the
# bound together. The row of an Idempotency-Key is kept for a day only, so it is not counted.
TAKE = f"""
WITH room AS (
    SELECT %(partition)s <> '{Partition.ENTITY.value}' OR EXISTS (
        SELECT 1 FROM publishing_entity
        WHERE core_id = %(core_id)s AND partition = %(partition)s AND owner = %(owner)s AND entity_id = %(entity_id)s
    ) OR %(most)s > (
        SELECT count(*) FROM publishing_entity
        WHERE core_id = %(core_id)s AND partition = %(partition)s AND owner = %(owner)s
    ) AS is_left
), taken AS (
    INSERT INTO publishing_entity AS held
        (core_id, partition, owner, entity_id, state, turns_committed, lease, lease_until, created_at, updated_at)
    SELECT %(core_id)s, %(partition)s, %(owner)s, %(entity_id)s, '{{}}'::jsonb, 0,
           %(holder)s, now() + make_interval(secs => %(seconds)s), now(), now()
    FROM room WHERE is_left
    ON CONFLICT (core_id, partition, owner, entity_id)
    DO UPDATE SET lease = EXCLUDED.lease, lease_until = EXCLUDED.lease_until
    WHERE held.lease IS NULL OR held.lease_until < now() OR held.lease = EXCLUDED.lease
    RETURNING id, state, resume, extract(epoch FROM now())::float8 AS now
)
SELECT id, state, resume, now FROM taken
UNION ALL SELECT NULL, NULL, NULL, NULL FROM room WHERE NOT is_left
"""  # noqa: S608  the word is the constant above

RENEW = """
UPDATE publishing_entity SET lease_until = now() + make_interval(secs => %s) WHERE id = %s AND lease = %s
"""

# A row that no turn was ever committed to remembers nothing, and nobody could list or erase it.
_RELEASE: Final = """
WITH unused AS (DELETE FROM publishing_entity WHERE {row} AND lease = %(holder)s AND turns_committed = 0)
UPDATE publishing_entity SET lease = NULL, lease_until = NULL
WHERE {row} AND lease = %(holder)s AND turns_committed > 0
"""
RELEASE: Final = _RELEASE.format(row="id = %(entity)s")
# For a request that never learned which row it took.
RELEASE_TAKEN: Final = _RELEASE.format(
    row="(core_id, partition, owner, entity_id) = (%(core_id)s, %(partition)s, %(owner)s, %(entity_id)s)"
)

# Turns of one entity that meet in one process queue here, first come first served, and cost the database nothing; only
# the heads of the queues compete in the database. A lock belongs to one event loop, and goes when nobody uses it.
_queues: WeakValueDictionary[tuple[int, MemoryKey], asyncio.Lock] = WeakValueDictionary()

# Referred to until they are done: an event loop keeps no task alive.
_releasing: set[asyncio.Task[None]] = set()


class Lease:
    """The hold of one request on one entity, renewed until it is released here or by the statement of a commit."""

    def __init__(self, entity: LeasedEntity, holder: str, queue: asyncio.Lock) -> None:
        self.entity = entity
        self._holder = holder
        self._queue = queue
        self._is_held = True
        self._renewal = asyncio.create_task(self._renew())

    async def release(self) -> None:
        """Give the entity back; does nothing when it was given back before."""
        if not self._is_held:
            return
        try:
            await finish(pool.rows(RELEASE, {"entity": self.entity.id, "holder": self._holder}))
        finally:
            self.end()

    def end(self) -> None:
        """Let the next turn of this process go on. The row itself is free already, or will be when its time is up."""
        if self._is_held:
            self._is_held = False
            self._renewal.cancel()
            self._queue.release()

    def abandon(self) -> None:
        """Give the entity back without waiting for it: the database has just kept this turn waiting in vain."""
        if self._is_held:
            self.end()
            _release_later(RELEASE, {"entity": self.entity.id, "holder": self._holder})

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            with suppress(psycopg.Error):  # the next one may come through in time
                await pool.rows(RENEW, [LEASE_S, self.entity.id, self._holder])


async def take(key: MemoryKey, holder: str, *, wait_s: float) -> Lease:
    """The lease of `holder`, a request id, on the entity at `key`, once it is free.

    Raises `LeaseTimeout` or `MemoryFull`.
    """
    queue = _queues.setdefault((id(asyncio.get_running_loop()), key), asyncio.Lock())
    try:
        async with asyncio.timeout(wait_s):
            await queue.acquire()
            try:
                entity = await _wait_for_row(key, holder)
            except BaseException:
                # Also when the time is up or the caller leaves: those who queue behind must not wait for ever.
                queue.release()
                raise
    except TimeoutError:
        raise LeaseTimeout from None
    return Lease(entity, holder, queue)


async def finish(work: Coroutine[Any, Any, Result]) -> Result:
    """Await `work` without letting a cancellation stop it half way; the cancellation is raised afterwards."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _release_later(statement: str, values: Values) -> None:
    releasing = asyncio.create_task(_release_when_possible(statement, values))
    _releasing.add(releasing)
    releasing.add_done_callback(_releasing.discard)


async def _release_when_possible(statement: str, values: Values) -> None:
    """Try as long as the lease may last. The next turn shall not wait for its end when the database is back before."""
    for _ in range(int(LEASE_S / RETRY_S)):
        with suppress(psycopg.Error):
            await pool.rows(statement, values)
            return
        await asyncio.sleep(RETRY_S)


async def _wait_for_row(key: MemoryKey, holder: str) -> LeasedEntity:
    """The entity's row with our lease on it, asked for again and again until it is free."""
    values = key._asdict() | {"partition": key.partition.value, "holder": holder, "seconds": LEASE_S}
    values["most"] = settings.MAX_ENTITIES_PER_USER
    pause_s = FIRST_PAUSE_S
    while True:
        if row := await _try_row(values):
            return row
        # Processes that wait for one entity must not ask in step, or one of them always comes too late.
        await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311  spreads processes, guards nothing
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def _try_row(values: dict[str, Any]) -> LeasedEntity | None:
    """The row if it was free. A caller who leaves while the answer is on its way must not leave a lease behind."""
    task = asyncio.create_task(pool.rows(TAKE, values))
    try:
        rows = await asyncio.shield(task)
    except asyncio.CancelledError:
        # The statement cannot be called back: see what it did, and undo it.
        await asyncio.wait({task})
        if not task.exception() and task.result():
            await finish(pool.rows(RELEASE, {"entity": task.result()[0][0], "holder": values["holder"]}))
        raise
    except psycopg.Error as error:
        if outages.is_outage(error):
            _release_later(RELEASE_TAKEN, values)  # a database that was only silent may take the lease yet
        raise
    if rows and rows[0][0] is None:
        raise MemoryFull
    return LeasedEntity._make(rows[0]) if rows else None
