"""Cores, as staff see them: the live version, whether it is a chat model and for whom, and holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest

from identity import admin_base
from identity.actors import Actor
from identity.admin_sections import Figure, list_url
from identity.models import Group
from publishing import actions, deploy_state
from publishing.actions.base import lock_core
from publishing.admin import page_state
from publishing.admin.audience import describe_audience
from publishing.admin.changes import LiftHolds, RollBack
from publishing.admin.filters import PublishedFilter
from publishing.admin.forms import CoreForm
from publishing.admin.holds import HoldingAdmin
from publishing.admin.widening import publish_if_agreed
from publishing.disagreements import find_disagreement
from publishing.errors import ForgettingNotAgreed, MemoryAtStake
from publishing.models import Core, CoreVersion

ABOUT = ("id", "tenant", "slug", "name", "description", "flow", "live", "created_at", "updated_at")
CHAT_MODEL = ("publish", "visibility", "allowed_groups", "seen", "published", "callers", "disagreement")
FILLED_IN = {"live", "publish", "visibility", "allowed_groups", "seen"}


@admin.register(Core)
class CoreAdmin(HoldingAdmin):
    """Cores with their live version, which may be set back, and with their publication."""

    may_change = may_delete = True
    form = CoreForm
    list_display = ("slug", "tenant", "name", "live_version", "published", "updated_at")
    audit_nouns = ("core", "publication", "access")
    list_filter = (PublishedFilter, ("tenant", admin.RelatedOnlyFieldListFilter))
    search_fields = ("slug", "name", "id", "flow__id", "model_name_text")
    bulk_changes = (RollBack, LiftHolds)
    fieldsets = ((None, {"fields": ABOUT}), ("Chat model", {"fields": CHAT_MODEL}))
    readonly_fields = tuple(name for name in (*ABOUT, *CHAT_MODEL) if name not in FILLED_IN)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Core]:
        # The program and the manifest of a version are far larger than all the rest of the page.
        related: QuerySet[Core] = super().get_queryset(request).select_related("tenant", "publication", "hold", "live")
        named = related.annotate(model_name_text=Concat(Value("scaicore/"), "tenant_id", Value("/"), "slug"))
        return named.defer("live__program", "live__manifest")

    def offered(self, request: HttpRequest, row: Core | None) -> admin_base.Offer:
        """The Core's own versions, and the groups of its tenant."""
        return {
            "live": CoreVersion.objects.filter(core=row).defer("program", "manifest"),
            "allowed_groups": Group.objects.filter(tenant=row.tenant_id if row else None),
        }

    def narrow(self, rows: QuerySet[Any], asked: Mapping[str, str]) -> QuerySet[Any]:
        return rows & Core.objects.publishable() if asked.get("publishable") else rows

    def figures(self, request: HttpRequest, at: datetime) -> list[Figure]:
        """The Cores that staff keep from being published."""
        held = Core.objects.filter(pk__in=self.get_queryset(request).values("pk"), hold__isnull=False).count()
        return [Figure("held by staff", held, list_url(Core, publication="held"))]

    @admin.display(description="live version", ordering="live__number")
    def live_version(self, core: Core) -> int | None:
        return core.live.number if core.live else None

    @admin.display(description="published as")
    def published(self, core: Core) -> str:
        if hasattr(core, "hold"):
            return f"held by staff: {core.hold.reason}"
        return core.publication.name if hasattr(core, "publication") else "not published"

    @admin.display(description="who can call this now")
    def callers(self, core: Core) -> str:
        return describe_audience(core.publication) if hasattr(core, "publication") else "nobody: it is not published"

    @admin.display(description="flow and registry")
    def disagreement(self, core: Core) -> str:
        if core.flow is None:
            return "this Core has no flow"
        return find_disagreement(core, core.flow.saved.content) or "they agree"

    def act(self, row: Core, form: Any, *, actor: Actor, at: datetime) -> None:
        """Un-publish first: a version that no chat call can enter is refused while the Core is published."""
        core = lock_core(row)
        page_state.must_be_fresh(core, form.seen_state)
        if form.unpublishes:
            actions.unpublish(core, actor=actor, at=at)
        if "live" in form.changed_data and form.cleaned_data["live"]:
            _must_be_agreed(core, form.cleaned_data["live"], form.agreed)
            actions.rollback(core, version=form.cleaned_data["live"].number, actor=actor, at=at)
        if form.publishes:
            publish_if_agreed(core, group_ids=form.group_ids, agreed=form.agreed, actor=actor, at=at)

    def remove(self, row: Core, *, actor: Actor, at: datetime) -> None:
        actions.delete_core(row, actor=actor, at=at)


def _must_be_agreed(core: Core, wanted: CoreVersion, agreed: Collection[str]) -> None:
    """Ask before memories would go unread; with another number of them than was agreed to, it is asked again."""
    try:
        deploy_state.must_keep_memory(core, wanted.number)
    except MemoryAtStake as refused:
        question = f"{refused} They stay stored."
        if question not in agreed:
            raise ForgettingNotAgreed(question) from None
