"""Cores that live elsewhere, are called by webhook, or start by themselves, each with its last run."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, Func, JSONField, Min, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chatapi import activity
from chatapi.models import RemoteCore, ScheduledCore, UsageRecord, WebhookCore
from chatapi.schedules import PURPOSE as SCHEDULE
from chatapi.webhooks import PURPOSE as WEBHOOK
from identity.admin_base import StaffAdmin
from identity.admin_sections import link, list_link
from publishing.actions.remotes import DRIVER as REMOTE
from publishing.models import Core


def _nodes_of(kind: str) -> Func:
    """The nodes of a kind in the live program. The whole program is far larger than all the rest of a page."""
    wanted = Value(f'$.nodes[*] ? (@.kind == "{kind}")')
    return Func(
        F("live__program"),
        wanted,
        function="jsonb_path_query_array",
        template="%(function)s(%(expressions)s)",
        output_field=JSONField(),
    )


class TriggerAdmin(StaffAdmin):
    """Such Cores. They are changed where their flow or their program is."""

    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("slug", "name", "id")
    purposes: ClassVar[tuple[str, ...]] = ()
    about: ClassVar[tuple[str, ...]] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["core", *self.about, "last_run_at", "last_outcome", "all_runs"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return ["slug", "name", *self.about, "last_run_at", "last_outcome", "all_runs"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row: Any = super().get_object(request, object_id, from_field)
        self.complete(request, [row] if row else [])
        return row

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Their last runs."""
        runs = activity.find_last_runs([row.pk for row in rows], *self.purposes)
        for row in rows:
            row.last_run = runs.get(row.pk)

    @admin.display(description="Core")
    def core(self, row: Any) -> SafeString:
        return link(Core(pk=row.pk), row)

    @admin.display(description="last run", empty_value="never")
    def last_run_at(self, row: Any) -> datetime | None:
        return row.last_run.at if row.last_run else None

    @admin.display(description="outcome", empty_value="-")
    def last_outcome(self, row: Any) -> str | None:
        if row.last_run is None:
            return None
        outcome = str(row.last_run.get_outcome_display())
        is_fault = row.last_run.outcome in activity.FAULTS
        return format_html('<strong class="alarm">{}</strong>', outcome) if is_fault else outcome

    @admin.display(description="runs")
    def all_runs(self, row: Any) -> SafeString:
        filters = {"purpose": self.purposes[0]} if self.purposes else {}
        return list_link(UsageRecord, "All runs", core_id=row.pk, **filters)


@admin.register(RemoteCore)
class RemoteCoreAdmin(TriggerAdmin):
    """Cores whose program lives elsewhere."""

    about = ("address",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).filter(driver=REMOTE)
        found: QuerySet[Any] = rows.annotate(url=KeyTextTransform("url", KeyTransform("remote", "live__program")))
        return found

    @admin.display(description="called at", empty_value="no live version")
    def address(self, row: Any) -> str | None:
        return row.url  # type: ignore[no-any-return]


class EntryAdmin(TriggerAdmin):
    """Cores with an entry of one kind in their live version."""

    kind: ClassVar[str]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).filter(live__program__nodes__contains=[{"kind": self.kind}])
        found: QuerySet[Any] = rows.annotate(entries=_nodes_of(self.kind))
        return found

    def config_of(self, row: Any) -> dict[str, Any]:
        """What the entry's node says."""
        return dict(row.entries[0].get("config", {})) if row.entries else {}


@admin.register(WebhookCore)
class WebhookCoreAdmin(EntryAdmin):
    """Cores that are called by webhook."""

    kind = "entry_webhook"
    purposes = (WEBHOOK,)
    about = ("path", "header", "secret")

    @admin.display(description="URL")
    def path(self, row: Any) -> str:
        return f"/hooks/{row.tenant_id}/{row.slug}"

    @admin.display(description="signature in", empty_value="no signature: nobody is let in")
    def header(self, row: Any) -> str | None:
        return (self.config_of(row).get("auth") or {}).get("header")

    @admin.display(description="signed with the secret", empty_value="-")
    def secret(self, row: Any) -> str | None:
        return (self.config_of(row).get("auth") or {}).get("secret_ref")


@admin.register(ScheduledCore)
class ScheduledCoreAdmin(EntryAdmin):
    """Cores that start by themselves at set times."""

    kind = "entry_schedule"
    purposes = (SCHEDULE,)
    about = ("times", "timezone", "next_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request).annotate(next_at=Min("schedules__due_at"))
        return found

    @admin.display(description="next run", empty_value="never")
    def next_at(self, row: Any) -> datetime | None:
        return row.next_at  # type: ignore[no-any-return]

    @admin.display(description="at (cron)")
    def times(self, row: Any) -> str:
        return str(self.config_of(row).get("cron", "0 * * * *"))

    @admin.display(description="time zone")
    def timezone(self, row: Any) -> str:
        return str(self.config_of(row).get("timezone", "UTC"))
