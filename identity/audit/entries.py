"""The audit log: an entry is part of the change that it describes, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from identity.actors import Actor
from identity.audit import origin
from identity.models import AuditEntry

Values = Mapping[str, Any] | None


def record(
    action: str, target: str, *, tenant: str, actor: Actor, at: datetime, before: Values = None, after: Values = None
) -> None:
    """Write that `actor` did `action` to `target` at `at`; `before` and `after` are plain JSON values.

    The database links the entry into the chain of its tenant when the transaction ends (`identity.audit.chain`).
    """
    came = origin.current.get()
    AuditEntry.objects.create(
        at=at,
        tenant=tenant,
        actor=actor.name,
        actor_id=actor.user_id,
        door=actor.door,
        action=action,
        target=target,
        before=before,
        after=after,
        request_id=came.request_id,
        address=came.address,
    )
