"""API keys, as staff see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from identity import keys
from identity.admin_base import StaffAdmin
from identity.admin_bulk import BulkChange, PreviewLine
from identity.admin_filters import KeyStateFilter
from identity.models import ApiKey


class RevokeKeys(BulkChange[ApiKey]):
    """Revoke keys, for good."""

    name, title = "revoke", "Revoke selected API keys"
    done = "Revoked. The keys answer 401 from now on."
    related = ("user", "live")

    def lines(self, rows: list[ApiKey], chosen: dict[str, Any] | None) -> list[PreviewLine]:
        return [PreviewLine(key, state_of(key), "revoked") for key in rows]

    def change(self, row: ApiKey, chosen: dict[str, Any], *, at: datetime) -> None:
        keys.revoke(row, actor=self.actor, at=at)


@admin.register(ApiKey)
class ApiKeyAdmin(StaffAdmin):
    """API keys: seen by their first characters, and revoked. A secret is shown only to the one who makes it."""

    tenant_path = "user__tenant"
    audit_nouns = ("key",)
    list_display = ("prefix", "name", "user", "tenant", "state", "opens", "created_at", "expires_at", "last_used_at")
    list_filter = (KeyStateFilter, ("user__tenant", admin.RelatedOnlyFieldListFilter))
    search_fields = ("prefix", "name", "user__email")
    bulk_changes = (RevokeKeys,)
    fields = ("prefix", "name", "user", "state", "opens", "created_at", "expires_at", "revoked_at", "last_used_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        # The tenant of a key is its user's, and its state is what the view of live keys says.
        rows: QuerySet[ApiKey] = super().get_queryset(request)
        return rows.select_related("user", "live")

    def tenant_of(self, row: ApiKey) -> str:
        return row.user.tenant_id

    @admin.display(ordering="user__tenant")
    def tenant(self, key: ApiKey) -> str:
        return key.user.tenant_id

    @admin.display
    def state(self, key: ApiKey) -> str:
        return state_of(key)

    @admin.display
    def opens(self, key: ApiKey) -> str:
        return describe_limit(key)


def state_of(key: ApiKey) -> str:
    """What the database's view of live keys says of it, and why."""
    if hasattr(key, "live"):
        return "live"
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= timezone.now() else "user or tenant inactive"


def describe_limit(key: ApiKey) -> str:
    """The models that the key is limited to."""
    return "every model of the user" if key.models is None else ", ".join(key.models)
