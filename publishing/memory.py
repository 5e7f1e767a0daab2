"""Memory and turns: one turn at a time for each memory, each committed whole or not at all.

    turn = await memory.begin(key, call, wait_s=30)
    number = await turn.commit(TurnResult(…))

A turn takes a lease on its entity, runs without holding a connection, then writes state, turn and release in one
statement that is guarded by the lease. A commit that comes late finds its lease gone and changes nothing.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from publishing import leases
from publishing.db import outages, pool
from publishing.leases import Lease, LeaseTimeout, MemoryFull, MemoryKey
from publishing.models import Partition

__all__ = [
    "Call",
    "KeyReused",
    "LeaseLost",
    "LeaseTimeout",
    "LeasedTurn",
    "MemoryFull",
    "MemoryKey",
    "Recorded",
    "TurnResult",
    "begin",
    "fingerprint",
    "forget_old_keys",
]

REPLAY_MINUTES: Final = 15
KEY_HOURS: Final = 24


class LeaseLost(Exception):
    """The turn was too late: its memory was erased, or its lease ended and another turn took over."""


class KeyReused(Exception):
    """The Idempotency-Key was used before, with another body."""


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
    beside: dict[str, Any] | None = None


class TurnResult(NamedTuple):
    """What a turn leaves behind. `state`, `resume` and `beside` are plain JSON values; the last is what the answer held
    besides its text."""

    state: dict[str, Any]
    resume: dict[str, Any] | None
    core_version: int
    message: str
    response: str
    prompt_tokens: int
    completion_tokens: int
    beside: dict[str, Any] | None = None


# One statement, so that state, turn and release are seen together or not at all. The guard is the lease: erased memory
# and a lease that another turn took over both match no row. The last line is for a commit whose answer was lost with
# its connection: it is sent again, finds its lease given back, and its turn written.
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
         beside, fingerprint, idempotency_key, created_at)
    SELECT id, turns_committed, %(request_id)s, %(user_id)s, %(core_version)s, %(message)s, %(response)s,
           %(prompt_tokens)s, %(completion_tokens)s, %(beside)s, %(fingerprint)s, %(idempotency_key)s, now()
    FROM kept RETURNING number
)
SELECT number FROM written
UNION ALL SELECT number FROM publishing_turn WHERE entity_id = %(entity)s AND request_id = %(request_id)s
"""

BY_KEY = """
SELECT number, response, prompt_tokens, completion_tokens, beside, fingerprint FROM publishing_turn
WHERE user_id = %s AND idempotency_key = %s
"""

BY_FINGERPRINT = f"""
SELECT number, response, prompt_tokens, completion_tokens, beside, fingerprint FROM publishing_turn
WHERE entity_id = %s AND user_id = %s AND fingerprint = %s
  AND created_at > now() - interval '{REPLAY_MINUTES} minutes'
ORDER BY number DESC LIMIT 1
"""  # noqa: S608  the number is the constant above

# The rows that exist for a key alone, and those that a process which died left behind before their first turn; memory
# itself is never forgotten.
FORGET_KEYS = """
WITH old AS (
    SELECT id FROM publishing_entity
    WHERE (partition = %s AND updated_at < now() - make_interval(hours => %s) AND lease IS NULL)
        OR (turns_committed = 0 AND (lease IS NULL OR lease_until < now() - interval '1 hour'))
), turns AS (DELETE FROM publishing_turn WHERE entity_id IN (SELECT id FROM old))
DELETE FROM publishing_entity WHERE id IN (SELECT id FROM old)
"""


class LeasedTurn:
    """A turn that holds its entity: read `state`, `resume` and `now`, then `commit` once, or `release`.

    `now` is when it began, in Unix seconds by the database's clock, which all processes share.
    `recorded` is set when the same call was committed before: that answer is to be given again.
    """

    def __init__(self, call: Call, lease: Lease) -> None:
        self.call = call
        self.recorded: Recorded | None = None
        self._lease = lease
        self._entity, self.state, self.resume, self.now = lease.entity

    async def commit(self, result: TurnResult) -> int:
        """Write the turn and return its number. Once begun it is finished, even for a caller who leaves meanwhile."""
        values = result._asdict() | self.call._asdict() | {"entity": self._entity}
        values |= {"state": Jsonb(result.state)}
        values |= {name: Jsonb(values[name]) if values[name] else None for name in ("resume", "beside")}
        # PostgreSQL keeps no NUL in a text, and an answer that was paid for must not be lost over one.
        values |= {name: values[name].replace("\0", "") for name in ("message", "response")}
        try:
            rows = await leases.finish(pool.rows(COMMIT, values))
        except psycopg.errors.UniqueViolation:
            # Two calls with one key met on different entities, and the other one was first.
            raise KeyReused from None
        except psycopg.Error as error:
            if outages.is_outage(error):
                self._lease.abandon()
            raise
        self._lease.end()
        if not rows:
            raise LeaseLost
        return int(rows[0][0])

    async def release(self) -> None:
        """Give the entity back unchanged; does nothing after a commit."""
        await self._lease.release()


async def begin(key: MemoryKey, call: Call, *, wait_s: float) -> LeasedTurn:
    """The turn of `call` on the memory at `key`, once no other is under way.

    Raises `LeaseTimeout`, `MemoryFull` or `KeyReused`.
    """
    lease = await leases.take(key, call.request_id, wait_s=wait_s)
    turn = LeasedTurn(call, lease)
    try:
        # Under the lease: a first try that is still running must have ended before its retry is looked up.
        turn.recorded = await _find_recorded(call, lease.entity.id)
    except BaseException as error:
        if outages.is_outage(error):
            lease.abandon()
        await turn.release()
        raise
    return turn


async def forget_old_keys() -> None:
    """Remove the answers kept for Idempotency-Keys of stateless Cores, `KEY_HOURS` after the call, and unused rows."""
    await pool.rows(FORGET_KEYS, [Partition.CALL.value, KEY_HOURS])


def fingerprint(*parts: Any) -> bytes:
    """32 bytes by which two calls are known to be the same."""
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).digest()


async def _find_recorded(call: Call, entity: int) -> Recorded | None:
    """The committed turn that `call` repeats, if it repeats one. Raises `KeyReused`."""
    rows: list[tuple[Any, ...]] = []
    if call.idempotency_key is not None:
        rows = await pool.rows(BY_KEY, [call.user_id, call.idempotency_key])
    elif call.is_retry:
        rows = await pool.rows(BY_FINGERPRINT, [entity, call.user_id, call.fingerprint])
    if not rows:
        return None
    *found, fingerprint = rows[0]
    if bytes(fingerprint) != call.fingerprint:
        raise KeyReused
    return Recorded(*found)
