"""Cores, as staff see them: their live version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from identity import admin_base
from identity.actors import Actor
from identity.admin_base import StaffAdmin
from identity.errors import Conflict
from publishing import actions
from publishing.admin.forms import CoreForm
from publishing.models import Core, CoreVersion


@admin.register(Core)
class CoreAdmin(StaffAdmin):
    """Cores with their live version, which may be set back."""

    may_change = may_delete = True
    form = CoreForm
    list_display = ("slug", "tenant", "name", "live_version", "published", "updated_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("slug", "name", "id")
    actions = ("roll_back",)
    fields = ("id", "tenant", "slug", "name", "description", "flow", "live", "published", "created_at", "updated_at")
    readonly_fields = tuple(name for name in fields if name != "live")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Core]:
        # The program and the manifest of a version are far larger than all the rest of the page.
        related = super().get_queryset(request).select_related("tenant", "publication", "live")
        return related.defer("live__program", "live__manifest")

    def offered(self, request: HttpRequest, row: Core | None) -> admin_base.Offer:
        """The Core's own versions."""
        return {"live": CoreVersion.objects.filter(core=row).defer("program", "manifest")}

    @admin.display(description="live version", ordering="live__number")
    def live_version(self, core: Core) -> int | None:
        return core.live.number if core.live else None

    @admin.display(description="published as", empty_value="not published")
    def published(self, core: Core) -> str | None:
        return core.publication.name if hasattr(core, "publication") else None

    def act(self, row: Core, form: Any, *, actor: Actor, at: datetime) -> None:
        if "live" in form.changed_data:
            actions.rollback(row, version=form.cleaned_data["live"].number, actor=actor, at=at)

    def remove(self, row: Core, *, actor: Actor, at: datetime) -> None:
        actions.delete_core(row, actor=actor, at=at)

    @admin.action(description="Roll back to the version before the live one", permissions=["change"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Core]) -> None:
        for core in queryset:
            version = actions.rollback(core, version=_earlier(core), actor=admin_base.actor(request), at=timezone.now())
            self.message_user(request, f"{core} answers with version {version.number} from now on.", messages.SUCCESS)


def _earlier(core: Core) -> int:
    live = core.live.number if core.live else 0
    number = core.versions.filter(number__lt=live).aggregate(number=Max("number"))["number"]
    if number is None:
        raise Conflict(f"There is no version of {core} before the live one.")
    return int(number)
