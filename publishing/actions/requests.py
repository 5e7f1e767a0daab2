"""Access asked for, granted and declined. A grant is a membership: the decision itself knows nothing of requests."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from identity import audit, groups
from identity.actors import Actor
from identity.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from identity.models import Tenant, User
from publishing.errors import CoreNotFound
from publishing.models import Access, AccessRequest, Core, Decision, Grant

LONGEST_MESSAGE = 1000


@transaction.atomic
def ask_access(core: Core, *, user: User, message: str = "", actor: Actor, at: datetime) -> tuple[AccessRequest, bool]:
    """`user` asks to call `core`; returns the request and whether it is new. Asking again renews the open one."""
    if actor.user_id != user.pk:
        raise NotAllowed("You can ask only for yourself.")
    access = Access.objects.filter(user=user, publication=core.pk).first()
    if access is None:
        raise CoreNotFound
    if access.may_call:
        raise Invalid("You can call this model already.", [Problem("", "There is nothing to ask for.")])
    asked, is_new = AccessRequest.objects.select_for_update().get_or_create(
        core=core,
        user=user,
        decision=Decision.OPEN,
        defaults={"tenant": core.tenant, "message": _clean(message), "asked_at": at},
    )
    if not is_new:
        asked.message, asked.asked_at = _clean(message), at
        asked.save(update_fields=["message", "asked_at"])
    _record("access.asked", asked, actor, at, message=asked.message)
    return asked, is_new


@transaction.atomic
def grant_access(asked: AccessRequest, *, group_id: str, actor: Actor, at: datetime) -> AccessRequest:
    """Answer yes by adding the user to `group_id` (a ScaiKey id), which must be a group that the model lists."""
    actor.must_manage(asked.tenant_id)
    asked = _lock(asked)
    # Before the members are read: whoever else sets them waits for this row too.
    Tenant.objects.select_for_update(no_key=True).get(pk=asked.tenant_id)
    grant = Grant.objects.filter(publication=asked.core_id, group__scaikey_id=group_id).select_related("group").first()
    if grant is None:
        raise Invalid("The model is not open to this group.", [Problem("group", "Choose one of its groups.")])
    groups.add_members(grant.group, users=[asked.user], groups=[], actor=actor, at=at)
    _decide(asked, Decision.GRANTED, actor, at, group=group_id)
    return asked


@transaction.atomic
def decline_access(asked: AccessRequest, *, actor: Actor, at: datetime) -> AccessRequest:
    """Answer no. The user may ask again."""
    actor.must_manage(asked.tenant_id)
    asked = _lock(asked)
    _decide(asked, Decision.DECLINED, actor, at)
    return asked


def _lock(asked: AccessRequest) -> AccessRequest:
    found = AccessRequest.objects.select_for_update().filter(pk=asked.pk).first()
    if found is None:
        raise NotFound("The request does not exist.")
    if found.decision != Decision.OPEN:
        raise Conflict(f"{found.decided_by} answered this request already: {found.get_decision_display()}.")
    return found


def _decide(asked: AccessRequest, decision: Decision, actor: Actor, at: datetime, **more: str) -> None:
    asked.decision, asked.decided_at, asked.decided_by = decision, at, actor.name
    asked.save(update_fields=["decision", "decided_at", "decided_by"])
    _record(f"access.{decision.value}", asked, actor, at, **more)


def _record(action: str, asked: AccessRequest, actor: Actor, at: datetime, **more: str) -> None:
    after = {"user": asked.user.email, **more}
    audit.record(action, asked.core_id, tenant=asked.tenant_id, actor=actor, at=at, after=after)


def _clean(message: str) -> str:
    return message.replace("\0", "").strip()[:LONGEST_MESSAGE]
