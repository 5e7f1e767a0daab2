"""Entries of the audit log, found by whom and what they are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from identity.models import AuditEntry, User
from publishing.models import Core


def search(tenant_id: str, asked: Mapping[str, Any]) -> QuerySet[AuditEntry]:
    """The entries of the tenant that every condition of `asked` holds for, the newest first.

    `person`: id or address, by or about them. `action`: its beginning. `target`: an id. `model`: a name, as it is or
    was. `since` (inclusive) and `until` (exclusive): moments. What is left out or None holds for every entry.
    """
    found = AuditEntry.objects.filter(tenant=tenant_id).order_by("-at", "-id")
    conditions = [
        condition(tenant_id, asked[name]) for name, condition in CONDITIONS.items() if asked.get(name) is not None
    ]
    return found.filter(*conditions)


def _of_person(tenant_id: str, person: str) -> Q:
    """By this person, or about them; a person who is deleted is still found by the address."""
    user = User.objects.filter(Q(pk=person) | Q(email=person.lower()), tenant=tenant_id).first()
    known = Q(actor_id=user.pk) | Q(target=user.pk) if user else Q(actor_id=person) | Q(target=person)
    return known | Q(actor=person.lower())


def _of_model(tenant_id: str, name: str) -> Q:
    """About the Core that has this name, and whatever was recorded under the name."""
    slug = name.removeprefix(f"scaicore/{tenant_id}/")
    cores = Core.objects.filter(tenant=tenant_id, slug=slug).values("pk")
    return Q(target__in=cores) | Q(target=name) | Q(before__contains={"name": name}) | Q(after__contains={"name": name})


CONDITIONS: dict[str, Callable[[str, Any], Q]] = {
    "person": _of_person,
    "action": lambda _, action: Q(action__startswith=action),
    "target": lambda _, target: Q(target=target),
    "model": _of_model,
    "since": lambda _, since: Q(at__gte=since),
    "until": lambda _, until: Q(at__lt=until),
}
