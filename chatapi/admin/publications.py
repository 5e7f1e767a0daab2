"""The list of publications with what was called: the registry itself knows no runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from chatapi.activity import FAULTS, called_since, count_activity
from chatapi.models import UsageRecord
from identity.admin_sections import Figure, list_link, list_url
from publishing.admin.filters import ReviewFilter
from publishing.admin.publications import PublicationAdmin
from publishing.models import Publication

UNUSED = "unused-90"
QUARTER = timedelta(days=90)


class CalledReviewFilter(ReviewFilter):
    """The review, and what nobody has called for a long time."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*super().lookups(request, model_admin), (UNUSED, "Not called for 90 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Publication]) -> QuerySet[Publication]:
        if self.value() == UNUSED:
            return _unused(queryset, at=timezone.now())
        return super().queryset(request, queryset)


admin.site.unregister(Publication)


@admin.register(Publication)
class CalledPublicationAdmin(PublicationAdmin):
    """What is published, and how much it is called."""

    list_display = (*PublicationAdmin.list_display[:4], "calls", "last_call", *PublicationAdmin.list_display[4:])
    list_filter = (CalledReviewFilter, *PublicationAdmin.list_filter[1:])

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """The activity as well."""
        super().complete(request, rows)
        lately = count_activity([row.pk for row in rows], at=timezone.now())
        for row in rows:
            row.activity = lately[row.pk]

    @admin.display(description="calls, errors (7 days)")
    def calls(self, publication: Any) -> str:
        activity = publication.activity
        if not activity.errors:
            return str(activity.calls)
        week = f"{activity.errors} error{'' if activity.errors == 1 else 's'}"
        wanted = {"core_id": publication.pk, "outcome__in": ",".join(FAULTS)}
        errors = list_link(UsageRecord, week, **wanted)
        return format_html('{}, <strong class="alarm">{}</strong>', activity.calls, errors)

    @admin.display(description="last call", empty_value="never")
    def last_call(self, publication: Any) -> datetime | None:
        return publication.activity.last_at  # type: ignore[no-any-return]

    def figures(self, request: HttpRequest, at: datetime) -> list[Figure]:
        """What nobody calls is worth a look as well."""
        count = _unused(self.get_queryset(request), at=at).count()
        unused = Figure("not called for 90 days", count, list_url(Publication, review=UNUSED))
        return [*super().figures(request, at), unused]


def _unused(rows: QuerySet[Publication], *, at: datetime) -> QuerySet[Publication]:
    return rows.exclude(called_since(at - QUARTER))
