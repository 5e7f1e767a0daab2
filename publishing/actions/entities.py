"""Memory that its owner or the tenant's admin erases."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from identity import audit
from identity.actors import Actor
from identity.errors import NotAllowed
from publishing.models import Entity


@transaction.atomic
def erase_entity(entity: Entity, *, actor: Actor, at: datetime) -> None:
    """Remove a memory with all its turns. A turn that is under way finds nothing to commit to, and fails."""
    tenant = entity.core.tenant_id
    if entity.owner != actor.user_id and not actor.manages(tenant):
        raise NotAllowed("Only the owner of this memory or an admin of the tenant may do that.")
    before = {"core": entity.core_id, "owner": entity.owner, "turns": entity.turns_committed}
    audit.record("entity.erased", entity.entity_id, tenant=tenant, actor=actor, at=at, before=before)
    entity.delete()
