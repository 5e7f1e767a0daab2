"""Memory and turns: one turn at a time for each memory, each committed whole or not at all.

A turn takes a lease on its entity, runs without holding a connection, then writes state, turn and release in one
statement that is guarded by the lease. A process that dies holds nothing for longer than `LEASE_S`: the lease ends by
the database's clock, and a late commit finds its lease gone and changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar
from weakref import WeakValueDictionary

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from publishing.db import pool
from publishing.models import Partition

LEASE_S: Final = 15.0
RENEW_S: Final = 5.0
REPLAY_MINUTES: Final = 15
FIRST_PAUSE_S: Final = 0.005
LONGEST_PAUSE_S: Final = 0.1


class LeaseTimeout(Exception):
    """Another turn of the entity was under way for the whole time that was waited."""


class LeaseLost(Exception):
    """The turn was too late: its memory was erased, or its lease ended and another turn took over."""


class KeyReused(Exception):
    """The Idempotency-Key was used before, with another body."""


class MemoryKey(NamedTuple):
    """Where a memory lies. `owner` is a user id, or empty where the memory belongs to the tenant."""

    core_id: str
    partition: Partition
    owner: str
    entity_id: str


class Call(NamedTuple):
    """Who calls, and by what two calls are known to be one: the body's fingerprint (32 bytes), a key, a retry."""

    request_id: str
    user_id: str
    fingerprint: bytes
    idempotency_key: str | None
    is_retry: bool


class Recorded(NamedTuple):
    """A turn that was committed before."""

    number: int
    response: str
    prompt_tokens: int
    completion_tokens: int


class LeasedEntity(NamedTuple):
    """An entity's row, held by a turn."""

    entity: int
    state: dict[str, Any]
    resume: dict[str, Any] | None
    now: float


class TurnResult(NamedTuple):
    """What a turn leaves behind. `state` and `resume` are plain JSON values."""

    state: dict[str, Any]
    resume: dict[str, Any] | None
    core_version: int
    message: str
    response: str
    prompt_tokens: int
    completion_tokens: int


TAKE = """
INSERT INTO publishing_entity AS held
    (core_id, partition, owner, entity_id, state, turns_committed, lease, lease_until, created_at, updated_at)
VALUES (%(core_id)s, %(partition)s, %(owner)s, %(entity_id)s, '{}', 0,
        %(lease)s, now() + make_interval(secs => %(seconds)s), now(), now())
ON CONFLICT (core_id, partition, owner, entity_id)
DO UPDATE SET lease = EXCLUDED.lease, lease_until = EXCLUDED.lease_until
WHERE held.lease IS NULL OR held.lease_until < now() OR held.lease = EXCLUDED.lease
RETURNING id, state, resume, extract(epoch FROM now())::float8
"""

RENEW = """
UPDATE publishing_entity SET lease_until = now() + make_interval(secs => %s) WHERE id = %s AND lease = %s
"""

RELEASE = "UPDATE publishing_entity SET lease = NULL, lease_until = NULL WHERE id = %s AND lease = %s"

# The last line is for a commit whose answer was lost with its connection, and which is therefore sent again.
COMMIT = """
WITH kept AS (
    UPDATE publishing_entity
    SET state = %(state)s, resume = %(resume)s, turns_committed = turns_committed + 1,
        lease = NULL, lease_until = NULL, updated_at = now()
    WHERE id = %(entity)s AND lease = %(request_id)s
    RETURNING id, turns_committed
), written AS (
    INSERT INTO publishing_turn
        (entity_id, number, request_id, user_id, core_version, message, response, prompt_tokens, completion_tokens,
         fingerprint, idempotency_key, created_at)
    SELECT id, turns_committed, %(request_id)s, %(user_id)s, %(core_version)s, %(message)s, %(response)s,
           %(prompt_tokens)s, %(completion_tokens)s, %(fingerprint)s, %(idempotency_key)s, now()
    FROM kept RETURNING number
)
SELECT number FROM written
UNION ALL SELECT number FROM publishing_turn WHERE entity_id = %(entity)s AND request_id = %(request_id)s
"""

BY_KEY = """
SELECT number, response, prompt_tokens, completion_tokens, fingerprint FROM publishing_turn
WHERE user_id = %s AND idempotency_key = %s
"""

BY_FINGERPRINT = f"""
SELECT number, response, prompt_tokens, completion_tokens, fingerprint FROM publishing_turn
WHERE entity_id = %s AND user_id = %s AND fingerprint = %s
  AND created_at > now() - interval '{REPLAY_MINUTES} minutes'
ORDER BY number DESC LIMIT 1
"""  # noqa: S608  the number is the constant above

# Turns of one entity that meet in one process queue here, in order; only processes compete in the database.
_queues: WeakValueDictionary[tuple[int, MemoryKey], asyncio.Lock] = WeakValueDictionary()


class LeasedTurn:
    """A turn that holds its entity: read `state`, `resume` and `now`, then `commit` once, or `release`.

    `now` is when it began, in seconds since 1970 by the database's clock, which all processes share.

    `recorded` is set when the same call was committed before: its answer is to be given again.
    """

    def __init__(self, call: Call, queue: asyncio.Lock, held: LeasedEntity) -> None:
        self.call = call
        self._entity, self.state, self.resume, self.now = held
        self.recorded: Recorded | None = None
        self._queue = queue
        self._is_held = True
        self._renewal = asyncio.create_task(self._renew())

    async def commit(self, outcome: TurnResult) -> int:
        """Write the turn and return its number. Once begun it is finished, even for a caller who leaves meanwhile."""
        values = outcome._asdict() | self.call._asdict() | {"entity": self._entity}
        values |= {"state": Jsonb(outcome.state), "resume": Jsonb(outcome.resume) if outcome.resume else None}
        values |= {name: values[name].replace("\0", "") for name in ("message", "response")}
        try:
            rows = await _to_the_end(pool.rows(COMMIT, values))
        except psycopg.errors.UniqueViolation:
            raise KeyReused from None
        self._let_go()
        if not rows:
            raise LeaseLost
        return int(rows[0][0])

    async def release(self) -> None:
        """Give the entity back unchanged; does nothing after a commit."""
        if not self._is_held:
            return
        try:
            await _to_the_end(pool.rows(RELEASE, [self._entity, self.call.request_id]))
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._is_held:
            self._is_held = False
            self._renewal.cancel()
            self._queue.release()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            with suppress(psycopg.OperationalError):  # the next one may come through in time
                await pool.rows(RENEW, [LEASE_S, self._entity, self.call.request_id])


async def begin(place: MemoryKey, call: Call, *, wait_s: float) -> LeasedTurn:
    """The turn of `call` at `place`, once no other is under way. Raises `EntityBusy` or `KeyReused`."""
    queue = _queues.setdefault((id(asyncio.get_running_loop()), place), asyncio.Lock())
    try:
        async with asyncio.timeout(wait_s):
            await queue.acquire()
            try:
                held = await _taken(place, call)
            except BaseException:
                queue.release()
                raise
    except TimeoutError:
        raise LeaseTimeout from None
    turn = LeasedTurn(call, queue, held)
    try:
        turn.recorded = await recorded(call, held.entity)
    except BaseException:
        await turn.release()
        raise
    return turn


async def recorded(call: Call, entity: int | None = None) -> Recorded | None:
    """The committed turn that `call` repeats, if it repeats one. Raises `KeyReused`."""
    rows: list[tuple[Any, ...]] = []
    if call.idempotency_key is not None:
        rows = await pool.rows(BY_KEY, [call.user_id, call.idempotency_key])
    elif call.is_retry and entity is not None:
        rows = await pool.rows(BY_FINGERPRINT, [entity, call.user_id, call.fingerprint])
    if not rows:
        return None
    *found, fingerprint = rows[0]
    if bytes(fingerprint) != call.fingerprint:
        raise KeyReused
    return Recorded(*found)


async def _taken(place: MemoryKey, call: Call) -> LeasedEntity:
    """The entity's row with our lease on it, asked for until it is free."""
    values = place._asdict() | {"partition": place.partition.value, "lease": call.request_id, "seconds": LEASE_S}
    pause_s = FIRST_PAUSE_S
    while True:
        if row := await _tried(values):
            return row
        await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311  spreads processes, guards nothing
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def _tried(values: dict[str, Any]) -> LeasedEntity | None:
    """The row if it was free. A caller who leaves while the answer is on its way must not leave a lease behind."""
    task = asyncio.create_task(pool.rows(TAKE, values))
    try:
        rows = await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.exception() and task.result():
            await _to_the_end(pool.rows(RELEASE, [task.result()[0][0], values["lease"]]))
        raise
    return LeasedEntity._make(rows[0]) if rows else None


Result = TypeVar("Result")


async def _to_the_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Await `work` without letting a cancellation stop it half way; the cancellation is raised afterwards."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def fingerprint(*parts: Any) -> bytes:
    """32 bytes by which two calls are known to be the same."""
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).digest()
