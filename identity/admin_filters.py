"""How staff narrow a list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from identity.models import ApiKey


class KeyStateFilter(admin.SimpleListFilter):
    """Keys that open the door now, and those that do not."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("revoked", "Revoked"), ("ended", "Expired or inactive")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        match self.value():
            case "live":
                return queryset.filter(live__isnull=False)
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
            case "ended":
                return queryset.filter(live__isnull=True, revoked_at=None)
        return queryset
