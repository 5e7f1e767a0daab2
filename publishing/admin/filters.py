"""How staff narrow the lists of publications, Cores and the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from identity.admin_sections import list_url
from identity.models import AuditEntry
from publishing import reach
from publishing.models import Core, Publication, Refusal, Visibility

WEEK, MONTH = timedelta(days=7), timedelta(days=30)


class ReviewFilter(admin.SimpleListFilter):
    """Publications that are worth a look. Those that are held are none: the last choice leads to their Cores."""

    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("nobody", "Nobody can call"),
            ("lost", "Names a deleted group"),
            ("open", "Open to a whole tenant"),
            ("widened-7", "Widened in the last 7 days"),
            ("widened-30", "Widened in the last 30 days"),
            ("new-7", "Published in the last 7 days"),
        ]

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield from super().choices(changelist)
        yield {"selected": False, "query_string": list_url(Core, publication="held"), "display": "Held, on the Cores"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Publication]) -> QuerySet[Publication]:
        return narrow_publications(queryset, self.value() or "", at=timezone.now())


class PublishedFilter(admin.SimpleListFilter):
    """Cores by what staff can do about them."""

    title = "publication"
    parameter_name = "publication"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("published", "Published"), ("none", "Not published"), ("held", "Held by staff")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Core]) -> QuerySet[Core]:
        match self.value():
            case "published":
                return queryset.filter(publication__isnull=False)
            case "none":
                return queryset.filter(publication__isnull=True)
            case "held":
                return queryset.filter(hold__isnull=False)
        return queryset


class SinceFilter(admin.SimpleListFilter):
    """Refusals of the last days."""

    title = "last refused"
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("7", "In the last 7 days"), ("30", "In the last 30 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Refusal]) -> QuerySet[Refusal]:
        match self.value():
            case "7":
                return queryset.filter(last_at__gt=timezone.now() - WEEK)
            case "30":
                return queryset.filter(last_at__gt=timezone.now() - MONTH)
        return queryset


class WidenedFilter(admin.SimpleListFilter):
    """Entries that let somebody call what is published already."""

    title = "widened"
    parameter_name = "widened"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("any", "Let somebody new call"),
            ("publication", "A publication was opened"),
            ("group", "A group grew"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        match self.value():
            case "any":
                return queryset.filter(reach.WIDENED | reach.JOINED)
            case "publication":
                return queryset.filter(reach.WIDENED)
            case "group":
                return queryset.filter(reach.JOINED)
        return queryset


def narrow_publications(rows: QuerySet[Publication], review: str, *, at: datetime) -> QuerySet[Publication]:
    """Those of `rows` that a choice of the review means; an unknown choice means all."""
    match review:
        case "nobody":
            return rows.exclude(pk__in=reach.callable_ids())
        case "lost":
            return rows.filter(pk__in=reach.with_lost_groups())
        case "open":
            return rows.filter(visibility=Visibility.TENANT)
        case "widened-7":
            return rows.filter(pk__in=_widened_since(at - WEEK))
        case "widened-30":
            return rows.filter(pk__in=_widened_since(at - MONTH))
        case "new-7":
            return rows.filter(published_at__gt=at - WEEK)
    return rows


def _widened_since(at: datetime) -> QuerySet[AuditEntry, Any]:
    return AuditEntry.objects.filter(reach.WIDENED, at__gt=at).order_by().values("target")
