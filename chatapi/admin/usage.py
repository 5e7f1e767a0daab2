"""What was called, as staff see it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from chatapi.models import UsageRecord
from identity.admin_base import StaffAdmin
from identity.models import User
from publishing.models import Core


@admin.register(UsageRecord)
class UsageRecordAdmin(StaffAdmin):
    """One row for each run of a Core. Nobody changes a row."""

    tenant_path = "tenant_id"
    list_display = ("at", "model", "caller", "outcome", "tokens", "duration_ms")
    list_filter = ("outcome", "purpose", "is_streamed")
    search_fields = ("model",)
    search_help_text = (
        "A Core or a person, by a part of the name or e-mail address; the whole id of a request or a model."
    )
    date_hierarchy = "at"

    def listed(self, rows: QuerySet[UsageRecord]) -> QuerySet[UsageRecord]:
        # The record keeps an id alone, so that the figures outlive the user.
        return rows.annotate(email=Subquery(User.objects.filter(pk=OuterRef("user_id")).values("email")))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UsageRecord], search_term: str
    ) -> tuple[QuerySet[UsageRecord], bool]:
        """Runs of the Cores and the people that the phrase finds: to look into every run's text would take long."""
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        cores = Core.objects.filter(Q(slug__icontains=term) | Q(name__icontains=term)).values("pk")
        people = User.objects.filter(Q(email__icontains=term) | Q(name__icontains=term)).values("pk")
        found = Q(core_id__in=cores) | Q(user_id__in=people) | Q(request_id=term) | Q(model=term)
        return queryset.filter(found), False

    @admin.display(ordering="user_id")
    def caller(self, usage: Any) -> str:
        return str(usage.email or usage.user_id)

    @admin.display(description="tokens in + out")
    def tokens(self, usage: UsageRecord) -> str:
        return f"{usage.prompt_tokens} + {usage.completion_tokens}"
