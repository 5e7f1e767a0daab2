"""`/v1/modules/scaicore/cores/{id}/entities` and `…/entity`: what a Core remembers, for its owner and tenant's admin.

One memory is named in the query, where any text can stand. Paths that hold the id are still served, for ids without a
slash: in a path nobody can tell a slash that belongs to an id from one that separates.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from identity.errors import NotFound
from publishing import actions
from publishing.api.base import read_fields
from publishing.api.cores import CoreView
from publishing.api.fields import read_number
from publishing.api.memory_serializers import (
    EntityExportSerializer,
    EntityPageSerializer,
    EntityQuerySerializer,
    EntitySerializer,
    EntitySummarySerializer,
    TurnPageSerializer,
    TurnSerializer,
)
from publishing.api.openapi import cursor_list, in_module
from publishing.models import Core, Entity, Partition


class MemoryView(CoreView):
    """A URL of one Core's memory. Somebody else's memory is answered like one that does not exist."""

    def entities(self, core: Core) -> QuerySet[Entity]:
        """The memories that the caller may see: an admin all of them, the tenant's included, others their own."""
        kept = Entity.objects.filter(core=core, turns_committed__gt=0).exclude(partition=Partition.CALL)
        return kept if self.actor.manages(core.tenant_id) else kept.filter(owner=self.user.pk)

    def entity(self, core_id: str) -> Entity:
        """The memory that is asked for: the caller's own if there is one, else the tenant's, unless `owner` says."""
        core, asked = self.core(core_id), self.query(EntityQuerySerializer)
        found = self.entities(core).filter(entity_id=asked["entity_id"]).select_related("core")
        owner = asked.get("owner")
        mine = found.filter(owner=self.user.pk).first() if owner is None else found.filter(owner=owner).first()
        entity = mine or (found.filter(owner="").first() if owner is None else None)
        if entity is None:
            raise NotFound("The Core remembers nothing under this id.")
        return entity

    def query(self, shape: type[Serializer[Any]]) -> dict[str, Any]:
        """The fields of `shape` in the query string; an id in the path counts as if it stood there."""
        if (entity_id := self.kwargs.get("entity_id")) is None:
            return super().query(shape)
        # Django gives the path decoded, where `a%2Fturns` looks like the turns of `a`.
        if b"%2f" in getattr(self.request._request, "scope", {}).get("raw_path", b"").lower():
            raise NotFound("Send an id with a slash in the query: `…/entity?entity_id=…`.")
        return read_fields(shape, self.request.query_params.dict() | {"entity_id": entity_id})


class EntityListView(MemoryView):
    """What a Core remembers."""

    @in_module(
        "list_entities",
        data=cursor_list("Entities", EntitySummarySerializer),
        query=EntityPageSerializer,
        errors=[404, 422],
    )
    def get(self, request: Request, core_id: str) -> Response:
        """List the memories of a Core, newest first."""
        page = self.query(EntityPageSerializer)
        rows = self.entities(self.core(core_id)).defer("state", "resume").order_by("-pk")
        if "owner" in page:
            rows = rows.filter(owner=page["owner"])
        if "cursor" in page:
            rows = rows.filter(pk__lt=read_number(page["cursor"]))
        return self.paged(
            rows, page["limit"], show=lambda row: EntitySummarySerializer(row).data, key=lambda row: row.pk
        )


class EntityDetailView(MemoryView):
    """One memory."""

    @in_module("read_entity", data=EntitySerializer, query=EntityQuerySerializer, errors=[404, 422])
    def get(self, request: Request, core_id: str, entity_id: str = "") -> Response:
        """Read a memory."""
        return self.ok(EntitySerializer(self.entity(core_id)).data)

    @in_module("erase_entity", status=204, query=EntityQuerySerializer, errors=[403, 404, 422])
    def delete(self, request: Request, core_id: str, entity_id: str = "") -> Response:
        """Erase a memory with all its turns."""
        actions.erase_entity(self.entity(core_id), actor=self.actor, at=timezone.now())
        return Response(status=204)


class EntityTurnListView(MemoryView):
    """The turns of one memory."""

    @in_module("list_turns", data=cursor_list("Turns", TurnSerializer), query=TurnPageSerializer, errors=[404, 422])
    def get(self, request: Request, core_id: str, entity_id: str = "") -> Response:
        """List the turns of a memory in order."""
        page = self.query(TurnPageSerializer)
        rows = self.entity(core_id).turns.order_by("number")
        if "cursor" in page:
            rows = rows.filter(number__gt=read_number(page["cursor"]))
        return self.paged(rows, page["limit"], show=lambda row: TurnSerializer(row).data, key=lambda row: row.number)


class EntityExportView(MemoryView):
    """One memory, whole."""

    @in_module("export_entity", data=EntityExportSerializer, query=EntityQuerySerializer, errors=[404, 422])
    def get(self, request: Request, core_id: str, entity_id: str = "") -> Response:
        """Export a memory with all its turns, as a file to keep."""
        answer = self.ok(EntityExportSerializer(self.entity(core_id)).data)
        answer["Content-Disposition"] = 'attachment; filename="memory.json"'
        return answer
