"""How staff narrow a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from identity.models import ApiKey, AuditEntry


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


class ActorFilter(admin.SimpleListFilter):
    """Entries of one actor, who is typed: there may be thousands."""

    title = "actor"
    parameter_name = "by"
    template = "admin/typed_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "anybody")]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        """One: what is typed now, the rest of the address, and the way back to everybody."""
        rest = [(name, value) for name, value in changelist.get_filters_params().items() if name != self.parameter_name]
        yield {
            "value": self.value() or "",
            "rest": [(name, one) for name, value in rest for one in (value if isinstance(value, list) else [value])],
            "clear": changelist.get_query_string(remove=[self.parameter_name]),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        typed = (self.value() or "").replace("\0", "").strip()
        return queryset.filter(actor__startswith=typed) if typed else queryset
