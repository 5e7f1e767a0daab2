"""Which memory a call turns on, and what to do when the call was answered before."""

from __future__ import annotations

import psycopg

from chatapi.chat_request import ChatRequest
from chatapi.errors import CoreFailed, EntityBusy, EntityQuotaExceeded, IdempotencyMismatch, refused_field
from publishing import memory
from publishing.models import Partition
from publishing.registry import AllowedCall, LiveCore


async def begin(
    caller: AllowedCall, core: LiveCore, request: ChatRequest, *, request_id: str, wait_s: float
) -> memory.LeasedTurn | None:
    """The turn that the call makes; None where the Core keeps no memory and no key asks for a replay."""
    key = _memory_key(caller, core, request)
    if key is None:
        return None
    # The same body is another call when another user sends it, or when it is for another model or entity.
    fingerprint = memory.fingerprint(caller.user_id, request.model, request.entity_id, request.fingerprint)
    call = memory.Call(request_id, caller.user_id, fingerprint, request.idempotency_key, request.is_retry)
    try:
        return await memory.begin(key, call, wait_s=wait_s)
    except memory.LeaseTimeout:
        raise EntityBusy from None
    except memory.MemoryFull:
        raise EntityQuotaExceeded from None
    except memory.KeyReused:
        raise IdempotencyMismatch from None


async def commit(turn: memory.LeasedTurn, result: memory.TurnResult) -> None:
    """Write the turn; from here on the answer may be given."""
    try:
        await turn.commit(result)
    except memory.LeaseLost:
        raise CoreFailed from None
    except memory.KeyReused:
        raise IdempotencyMismatch from None
    except psycopg.DataError:
        # Something that came from outside cannot be kept as it is, such as a NUL character in another server's JSON.
        raise CoreFailed from None


def _memory_key(caller: AllowedCall, core: LiveCore, request: ChatRequest) -> memory.MemoryKey | None:
    program = core.program.program
    if program.instance_mode == "singleton":
        return memory.MemoryKey(caller.core_id, Partition.SINGLETON, "", "singleton")
    if program.instance_mode == "entity":
        if request.entity_id is None:
            raise refused_field(
                "entity_id",
                "This model keeps memory: send `entity_id` in the body or the header `X-Entity-Id`.",
                "missing_required_parameter",
            )
        owner = caller.user_id if program.entity_scope == "user" else ""
        return memory.MemoryKey(caller.core_id, Partition.ENTITY, owner, request.entity_id)
    if request.idempotency_key is not None:
        return memory.MemoryKey(caller.core_id, Partition.CALL, caller.user_id, request.idempotency_key)
    return None
