"""Publications, as staff see them: their visibility, and who may call now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.paginator import Paginator
from django.db.models import Case, Count, Exists, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from identity import admin_base
from identity.actors import Actor
from identity.admin_base import StaffAdmin
from identity.errors import Invalid, Problem
from identity.models import Group, User
from publishing import actions, registry
from publishing.actions.base import lock_core
from publishing.admin import page_state
from publishing.admin.audience import AUDIENCE, count_in_words, describe_audience
from publishing.admin.forms import NewPublicationForm, PublicationForm
from publishing.admin.widening import publish_if_agreed
from publishing.errors import NotPublished
from publishing.models import Access, Core, Publication, Visibility

NO_GROUP = "no group is left"
PER_PAGE = 100
# The decision is asked for each user of the tenant and each publication of the page: about 15 microseconds a time.
MOST_COUNTED = 2000


@admin.register(Publication)
class PublicationAdmin(StaffAdmin):
    """What is published, to whom, and who may call it now. Adding one publishes, deleting one un-publishes."""

    may_add = may_change = may_delete = True
    list_per_page = 25
    form = PublicationForm
    list_display = ("name", "tenant", "shown_to", "head_count", "published_at", "published_by")
    list_filter = ("visibility", ("tenant", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("name", "core__name", "grants__group__scaikey_id")
    fields = ("name", "core", "visibility", "allowed_groups", "seen", "callers", "published_at", "published_by")
    readonly_fields = ("name", "core", "callers", "published_at", "published_by")
    fields_of_new = ("core", "visibility", "allowed_groups")

    def listed(self, rows: QuerySet[Publication]) -> QuerySet[Publication]:
        return rows.annotate(calling=_head_count()).prefetch_related("grants__group")

    def get_fields(self, request: HttpRequest, obj: Publication | None = None) -> Any:
        return self.fields if obj else self.fields_of_new

    def get_readonly_fields(self, request: HttpRequest, obj: Publication | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs, **({} if obj else {"form": NewPublicationForm}))

    def offered(self, request: HttpRequest, row: Publication | None) -> admin_base.Offer:
        """The groups of the publication's tenant; for a new one those of every tenant that the actor manages."""
        if row:
            return {"allowed_groups": Group.objects.filter(tenant=row.tenant_id)}
        cores, groups = Core.objects.publishable(), Group.objects.all()
        tenants = admin_base.actor(request).tenants
        if tenants is not None:
            cores, groups = cores.filter(tenant__in=tenants), groups.filter(tenant__in=tenants)
        return {"core": cores, "allowed_groups": groups}

    @admin.display(description="visibility", ordering="visibility")
    def shown_to(self, publication: Publication) -> str:
        if publication.visibility == Visibility.TENANT:
            return Visibility.TENANT.label
        groups = sorted(grant.group.scaikey_id for grant in publication.grants.all())
        return ", ".join(groups) if groups else NO_GROUP

    @admin.display(description="may call now")
    def head_count(self, publication: Any) -> str:
        if publication.calling is None and publication.has_nobody:
            return count_in_words(0)
        return "counted on its page" if publication.calling is None else count_in_words(publication.calling)

    @admin.display(description="who can call this now")
    def callers(self, publication: Publication) -> str:
        return describe_audience(publication)

    def get_urls(self) -> list[URLPattern]:
        audience = path("<path:object_id>/audience/", self.admin_site.admin_view(self.audience), name=AUDIENCE)
        return [audience, *super().get_urls()]

    def audience(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everyone who may call the publication now, page by page."""
        publication = get_object_or_404(self.get_queryset(request), pk=unquote(object_id))
        pages = Paginator(registry.audience(publication), PER_PAGE)
        context = {
            **self.admin_site.each_context(request),
            "title": "Who can call this",
            "subtitle": publication.name,
            "opts": self.opts,
            "publication": publication,
            "shown_to": self.shown_to(publication),
            "page": pages.get_page(request.GET.get("page")),
        }
        return TemplateResponse(request, "admin/publishing/publication/audience.html", context)

    def act(self, row: Publication, form: Any, *, actor: Actor, at: datetime) -> None:
        if isinstance(form, NewPublicationForm):
            _publish_first(row, form, actor=actor, at=at)
        elif form.changes_visibility:
            core = lock_core(row.core)
            page_state.must_be_fresh(core, form.seen_state)
            _, is_new = publish_if_agreed(core, group_ids=form.group_ids, agreed=form.agreed, actor=actor, at=at)
            if is_new:
                raise NotPublished

    def remove(self, row: Publication, *, actor: Actor, at: datetime) -> None:
        actions.unpublish(row.core, actor=actor, at=at)


def _head_count() -> Case:
    """How many may call each publication; NULL where the tenant is so large that a whole list would take too long."""
    may_call = Access.objects.filter(publication=OuterRef("pk"), may_call=True).values("publication")
    counted = Coalesce(Subquery(may_call.annotate(callers=Count("pk")).values("callers")), 0)
    is_large = Exists(User.objects.filter(tenant=OuterRef("tenant")).order_by()[MOST_COUNTED : MOST_COUNTED + 1])
    return Case(When(is_large, then=None), default=counted)


def _publish_first(row: Publication, form: NewPublicationForm, *, actor: Actor, at: datetime) -> None:
    """Publish what was not, and fill `row` with it: the page then names it."""
    core = form.cleaned_data["core"]
    _, is_new = actions.publish(core, group_ids=form.group_ids, actor=actor, at=at)
    if not is_new:
        advice = "Somebody else has published it meanwhile. Look at its publication."
        raise Invalid("The Core is published already.", [Problem("core_id", advice)])
    row.refresh_from_db()
