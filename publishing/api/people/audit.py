"""`/api/v1/audit`: who changed what in the tenant, for its admins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from identity.models import AuditEntry, User
from publishing.api.base import ApiView
from publishing.api.fields import behind_moment, moment_of
from publishing.api.openapi import cursor_list, in_api
from publishing.api.people.serializers import AuditEntrySerializer, AuditSearchSerializer
from publishing.models import Core


class AuditListView(ApiView):
    """The audit log of the tenant."""

    @in_api(
        "list_audit_entries",
        data=cursor_list("AuditEntries", AuditEntrySerializer),
        query=AuditSearchSerializer,
        errors=[403, 422],
        tag="audit",
    )
    def get(self, request: Request) -> Response:
        """List what was changed in the tenant, the newest first; every condition that is sent must hold."""
        self.actor.must_manage(self.user.tenant_id)
        asked = self.query(AuditSearchSerializer)
        return self.paged(
            _search(self.user.tenant_id, asked),
            asked["limit"],
            show=lambda entry: AuditEntrySerializer(entry).data,
            key=moment_of,
        )


def _search(tenant_id: str, asked: dict[str, Any]) -> QuerySet[AuditEntry]:
    """The entries that every condition holds for."""
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
    "action": lambda tenant_id, action: Q(action__startswith=action),
    "target": lambda tenant_id, target: Q(target=target),
    "model": _of_model,
    "since": lambda tenant_id, since: Q(at__gte=since),
    "until": lambda tenant_id, until: Q(at__lt=until),
    "cursor": lambda _tenant_id, cursor: behind_moment(cursor),
}
