"""What was called, as staff see it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery

from chatapi.models import UsageRecord
from identity.admin_base import StaffAdmin
from identity.models import User


@admin.register(UsageRecord)
class UsageRecordAdmin(StaffAdmin):
    """One row for each run of a Core. Nobody changes a row."""

    tenant_path = "tenant_id"
    list_display = ("at", "model", "caller", "outcome", "tokens", "duration_ms")
    list_filter = ("outcome", "purpose", "is_streamed")
    search_fields = ("model", "user_id", "request_id")
    date_hierarchy = "at"

    def listed(self, rows: QuerySet[UsageRecord]) -> QuerySet[UsageRecord]:
        # The record keeps an id alone, so that the figures outlive the user.
        return rows.annotate(email=Subquery(User.objects.filter(pk=OuterRef("user_id")).values("email")))

    @admin.display(ordering="user_id")
    def caller(self, usage: Any) -> str:
        return str(usage.email or usage.user_id)

    @admin.display(description="tokens in + out")
    def tokens(self, usage: UsageRecord) -> str:
        return f"{usage.prompt_tokens} + {usage.completion_tokens}"
