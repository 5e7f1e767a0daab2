"""Limits and prices: set, changed, removed. They count from the next call on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from identity import audit, validation
from identity.actors import Actor
from identity.errors import Invalid, Problem
from identity.models import ApiKey, Group, Tenant, User
from publishing.actions.base import lock_core
from publishing.errors import LimitNotFound
from publishing.models import Core, Each, Price, UsageLimit

MOST_LIMITS = 200


@dataclass(frozen=True)
class LimitTerms:
    """What a limit says: on whose calls (None: on all), of which model (None: of all), how much of what."""

    measure: str
    per: str
    amount: Decimal
    each: str = Each.TOGETHER
    is_soft: bool = False
    user: User | None = None
    key: ApiKey | None = None
    group: Group | None = None
    core: Core | None = None


@transaction.atomic
def create_limit(*, tenant: Tenant, terms: LimitTerms, actor: Actor, at: datetime) -> UsageLimit:
    """A new limit. What was used before does not count on it."""
    actor.must_manage(tenant.pk)
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    if UsageLimit.objects.filter(tenant=tenant).count() >= MOST_LIMITS:
        raise Invalid("There are too many limits.", [Problem("limits", f"Remove one first: {MOST_LIMITS} are most.")])
    limit = UsageLimit(tenant=tenant, created_at=at)
    _store(limit, terms, at)
    _record("limit.created", limit, actor, at, None, _audit_view(limit))
    return limit


@transaction.atomic
def save_limit(limit: UsageLimit, *, terms: LimitTerms, actor: Actor, at: datetime) -> UsageLimit:
    """Change what a limit says. What was used of it counts on, unless it counts for others or in another way now."""
    actor.must_manage(limit.tenant_id)
    limit = _lock(limit)
    before, counted = _audit_view(limit), (limit.measure, limit.per, limit.each)
    _store(limit, terms, at)
    if (limit.measure, limit.per, limit.each) != counted:
        limit.cells.all().delete()
    _record("limit.saved", limit, actor, at, before, _audit_view(limit))
    return limit


@transaction.atomic
def delete_limit(limit: UsageLimit, *, actor: Actor, at: datetime) -> None:
    """Remove a limit, and what was counted on it."""
    actor.must_manage(limit.tenant_id)
    limit = _lock(limit)
    _record("limit.deleted", limit, actor, at, _audit_view(limit), None)
    limit.delete()


@transaction.atomic
def set_price(core: Core, *, prompt: Decimal, completion: Decimal, actor: Actor, at: datetime) -> Price | None:
    """What a million tokens of a Core cost; nothing for both takes the price away."""
    actor.must_manage(core.tenant_id)
    core = lock_core(core)
    earlier = Price.objects.filter(core=core).first()
    before, made = _price_view(earlier), None
    if prompt == completion == 0:
        Price.objects.filter(core=core).delete()
    else:
        made = earlier or Price(core=core, tenant_id=core.tenant_id)
        made.prompt, made.completion = prompt, completion
        validation.store(made, update_fields=["prompt", "completion"] if earlier else None)
    after = _price_view(made)
    if before != after:
        audit.record("core.priced", core.pk, tenant=core.tenant_id, actor=actor, at=at, before=before, after=after)
    return made


def _store(limit: UsageLimit, terms: LimitTerms, at: datetime) -> None:
    for field, owner in (("user", terms.user), ("group", terms.group), ("core", terms.core)):
        _must_own(field, limit, None if owner is None else owner.tenant_id)
    _must_own("key", limit, None if terms.key is None else terms.key.user.tenant_id)
    if (terms.each == Each.USER and (terms.user or terms.key)) or (terms.each == Each.KEY and terms.key):
        raise Invalid("The limit is of one already.", [Problem("each", "Leave it empty, or name nobody.")])
    for field, value in vars(terms).items():
        setattr(limit, field, value)
    limit.updated_at = at
    validation.store(limit, update_fields=None if limit._state.adding else [*vars(terms), "updated_at"])


def _must_own(field: str, limit: UsageLimit, tenant_id: str | None) -> None:
    if tenant_id is not None and tenant_id != limit.tenant_id:
        raise Invalid("It is not the tenant's.", [Problem(field, "Choose one of the tenant's own.")])


def _lock(limit: UsageLimit) -> UsageLimit:
    locked = UsageLimit.objects.select_for_update().filter(pk=limit.pk).first()
    if locked is None:
        raise LimitNotFound
    return locked


def _audit_view(limit: UsageLimit) -> dict[str, Any]:
    named = {"user": limit.user_id, "key": limit.key_id, "core": limit.core_id, "each": limit.each}
    shown = {"measure": limit.measure, "per": limit.per, "amount": f"{limit.amount.normalize():f}"}
    group = {"group": limit.group.scaikey_id} if limit.group is not None else {}
    soft = {"is_soft": True} if limit.is_soft else {}
    return shown | {name: value for name, value in named.items() if value} | group | soft


def _price_view(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {"prompt": f"{price.prompt.normalize():f}", "completion": f"{price.completion.normalize():f}"}


def _record(
    action: str, limit: UsageLimit, actor: Actor, at: datetime, before: audit.Values, after: audit.Values
) -> None:
    audit.record(action, limit.pk, tenant=limit.tenant_id, actor=actor, at=at, before=before, after=after)
