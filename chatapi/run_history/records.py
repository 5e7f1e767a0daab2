"""Which counted runs somebody may see, and those of them that a search is after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import Q, QuerySet

from chatapi.activity import FAULTS
from chatapi.models import RunTrace, UsageRecord
from identity.actors import Actor
from identity.errors import NotFound
from identity.models import ApiKey, User
from publishing.api.fields import behind_moment

ERRORS: Final = "errors"  # in place of one outcome: those that are faults of the model


def seen_by(actor: Actor, user: User) -> QuerySet[UsageRecord]:
    """The runs that `user` may see, the newest first: all of the tenant for its admin, their own for others."""
    found = UsageRecord.objects.filter(tenant_id=user.tenant_id).order_by("-at", "-pk")
    return found if actor.manages(user.tenant_id) else found.filter(user_id=user.pk)


def find(actor: Actor, user: User, request_id: str) -> UsageRecord:
    """The run with this request id, if `user` may see it; `NotFound` otherwise."""
    run = seen_by(actor, user).filter(request_id=request_id).first()
    if run is None:
        raise NotFound("You have no run with this request id. A call that was refused before it ran leaves none.")
    return run


def find_trace(run: UsageRecord) -> RunTrace | None:
    """What its nodes did, where the flow keeps that and it is not too old."""
    return RunTrace.objects.filter(request_id=run.request_id, tenant_id=run.tenant_id).first()


def search(rows: QuerySet[UsageRecord], tenant_id: str, asked: Mapping[str, Any]) -> QuerySet[UsageRecord]:
    """Those of `rows` for which everything in `asked` holds that is not empty: `core`, `outcome`, `caller`, `purpose`,
    `since`, `until`, `request_id`, `cursor`. Raises `Invalid` for a cursor of another list."""
    return rows.filter(*(CONDITIONS[name](tenant_id, asked[name]) for name in CONDITIONS if asked.get(name)))


def _of_core(tenant_id: str, name: str) -> Q:
    """Of the Core that has this id, this slug or this name."""
    return Q(core_id=name) | Q(model__in=[name, f"scaicore/{tenant_id}/{name}"])


def _with_outcome(_tenant_id: str, outcome: str) -> Q:
    return Q(outcome__in=FAULTS) if outcome == ERRORS else Q(outcome=outcome)


def _by_caller(tenant_id: str, caller: str) -> Q:
    """By the person of this id or address, or with the key of this id or beginning."""
    users = User.objects.filter(email=caller.lower(), tenant=tenant_id).values("pk")
    found = ApiKey.objects.filter(prefix=caller.rstrip("…"), user__tenant=tenant_id).values("pk")
    return Q(user_id=caller) | Q(key_id=caller) | Q(user_id__in=users) | Q(key_id__in=found)


CONDITIONS: Final[dict[str, Callable[[str, Any], Q]]] = {
    "core": _of_core,
    "outcome": _with_outcome,
    "caller": _by_caller,
    "purpose": lambda tenant_id, purpose: Q(purpose=purpose),
    "since": lambda tenant_id, since: Q(at__gte=since),
    "until": lambda tenant_id, until: Q(at__lt=until),
    "request_id": lambda tenant_id, request_id: Q(request_id=request_id),
    "cursor": lambda _tenant_id, cursor: behind_moment(cursor),
}
