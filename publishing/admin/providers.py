"""Model providers, MCP servers and secrets, as staff see them: names and which Cores use them, never what they hold."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest

from identity.admin_base import StaffAdmin
from identity.admin_sections import Section, link, paged
from publishing.models import Core, McpServer, ModelProvider, Secret, references


class NamedAdmin(StaffAdmin):
    """Things that flows name. `places`: where a program does so, as JSON paths."""

    places: tuple[str, ...]

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Which Cores use each of these."""
        users = references.find_users(self.places, {row.tenant_id for row in rows})
        for row in rows:
            row.used_by = users.get((row.tenant_id, self.audit_target(row)), [])

    @admin.display(description="live Cores that use it")
    def use(self, row: Any) -> int:
        return len(row.used_by)

    def sections(self, request: HttpRequest, row: Any) -> list[Section]:
        """The Cores whose live version uses it."""
        users = references.find_users(self.places, [row.tenant_id])
        core_ids = users.get((row.tenant_id, self.audit_target(row)), [])
        cores = Core.objects.filter(pk__in=core_ids).order_by("slug")
        page = paged(request, "use", cores)
        empty = "No live version names it."
        return [Section("use", "Used by", ("Core", "Name"), page, [(link(core), core.name) for core in page], empty)]


@admin.register(ModelProvider)
class ProviderAdmin(NamedAdmin):
    """Servers of language models; whether there is a key, never the key."""

    audit_nouns, audit_field = ("provider",), "ref"
    places = references.PROVIDERS
    list_display = ("ref", "tenant", "base_url", "has_key", "timeout_s", "use", "updated_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("ref", "base_url")
    fields = ("ref", "tenant", "base_url", "has_key", "timeout_s", "options", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelProvider]:
        rows: QuerySet[ModelProvider] = super().get_queryset(request)
        return rows.defer("sealed_key").annotate(sealed=_is_there("sealed_key"))

    @admin.display(description="key", boolean=True)
    def has_key(self, row: Any) -> bool:
        return bool(row.sealed)


@admin.register(McpServer)
class McpServerAdmin(NamedAdmin):
    """MCP servers; the names of their headers, never the values."""

    audit_nouns, audit_field = ("mcp_server",), "ref"
    places = references.MCP_SERVERS
    list_display = ("ref", "tenant", "url", "protocol", "tool_count", "has_changed", "use", "fetched_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("ref", "url")
    fields = (
        *("ref", "tenant", "url", "header_names", "timeout_s", "protocol", "tools", "found", "left_out"),
        *("fetched_at", "accepted_at", "created_at", "updated_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[McpServer]:
        rows: QuerySet[McpServer] = super().get_queryset(request)
        return rows.defer("sealed_headers")

    @admin.display(description="tools")
    def tool_count(self, row: Any) -> int:
        return len(row.tools)

    @admin.display(description="changed since", boolean=True)
    def has_changed(self, row: Any) -> bool:
        return row.found is not None


@admin.register(Secret)
class SecretAdmin(NamedAdmin):
    """The names of secrets and who uses them; the values are not even read."""

    audit_nouns, audit_field = ("secret",), "name"
    places = references.SECRETS
    list_display = ("name", "tenant", "use", "created_at", "updated_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("name",)
    fields = ("name", "tenant", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Secret]:
        rows: QuerySet[Secret] = super().get_queryset(request)
        return rows.defer("sealed")


def _is_there(field: str) -> Any:
    return ExpressionWrapper(Q(**{f"{field}__isnull": False}), output_field=BooleanField())
