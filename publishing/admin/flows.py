"""Flows, as staff see them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.html import format_html
from django.utils.safestring import SafeString

from identity.actors import Actor
from identity.admin_base import StaffAdmin
from publishing import actions, documents
from publishing.models import Flow, FlowVersion


@admin.register(Flow)
class FlowAdmin(StaffAdmin):
    """Flows are edited on their own page; here they are found, read and deleted."""

    audit_nouns = ("flow",)
    may_delete = True
    list_display = ("name", "tenant", "saved_version", "core", "owner", "updated_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("tenant", "core", "owner")
    search_fields = ("name", "id", "owner__email")
    fields = ("id", "tenant", "name", "description", "owner", "core", "created_at", "updated_at", "document")

    def listed(self, rows: QuerySet[Flow]) -> QuerySet[Flow]:
        newest = FlowVersion.objects.filter(flow=OuterRef("pk")).order_by("-number")
        return rows.annotate(saved_version=Subquery(newest.values("version")[:1]))

    @admin.display(description="saved version")
    def saved_version(self, flow: Any) -> str:
        return str(flow.saved_version)

    @admin.display(ordering="core__slug", empty_value="not deployed")
    def core(self, flow: Flow) -> str | None:
        return flow.core.slug if hasattr(flow, "core") else None

    @admin.display(description="saved document")
    def document(self, flow: Flow) -> SafeString:
        shown = documents.complete(flow, flow.saved)
        return format_html('<pre tabindex="0">{}</pre>', json.dumps(shown, indent=2, ensure_ascii=False))

    def remove(self, row: Flow, *, actor: Actor, at: datetime) -> None:
        actions.delete_flow(row, actor=actor, at=at)
