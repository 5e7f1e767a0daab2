"""Publications, as staff see them: to whom, and who may call now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.paginator import Paginator
from django.db.models import Case, Count, Exists, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html

from identity import admin_base
from identity.actors import Actor
from identity.admin_base import StaffAdmin
from identity.models import Group, User
from publishing import actions, registry
from publishing.admin.forms import PublicationForm
from publishing.models import Access, Publication, Visibility

NOBODY = "Nobody can call this"
NO_GROUP = "no group is left"
AUDIENCE = "publishing_publication_audience"
PER_PAGE = 100
# The decision is asked for each user of the tenant and each publication of the page: about 15 microseconds a time.
MOST_COUNTED = 2000
FIRST_NAMES = 10


@admin.register(Publication)
class PublicationAdmin(StaffAdmin):
    """What is published, to whom, and who may call it now. Deleting one un-publishes."""

    may_change = may_delete = True
    list_per_page = 25
    form = PublicationForm
    list_display = ("name", "tenant", "shown_to", "head_count", "published_at", "published_by")
    list_filter = ("visibility", ("tenant", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("name", "core__name", "grants__group__scaikey_id")
    fields = ("name", "core", "visibility", "allowed_groups", "callers", "published_at", "published_by")
    readonly_fields = ("name", "core", "callers", "published_at", "published_by")

    def listed(self, rows: QuerySet[Publication]) -> QuerySet[Publication]:
        return rows.annotate(calling=_head_count()).prefetch_related("grants__group")

    def offered(self, request: HttpRequest, row: Publication | None) -> admin_base.Offer:
        """The groups of the publication's own tenant."""
        return {"allowed_groups": Group.objects.filter(tenant=row.tenant_id if row else None)}

    @admin.display(description="visibility", ordering="visibility")
    def shown_to(self, publication: Publication) -> str:
        if publication.visibility == Visibility.TENANT:
            return Visibility.TENANT.label
        groups = sorted(grant.group.scaikey_id for grant in publication.grants.all())
        return ", ".join(groups) if groups else NO_GROUP

    @admin.display(description="may call now")
    def head_count(self, publication: Any) -> str:
        if publication.calling is None and publication.has_nobody:
            return _alarmed(0)
        return "counted on its page" if publication.calling is None else _alarmed(publication.calling)

    @admin.display(description="who can call this now")
    def callers(self, publication: Publication) -> str:
        """The head-count, the first names, and the way to all of them."""
        found = registry.audience(publication)
        names = ", ".join(str(user) for user in found[:FIRST_NAMES])
        return format_html(
            '{}: {} <a href="{}">Who can call this</a>',
            _alarmed(found.count()),
            names,
            self.page("audience", quote(publication.pk)),
        )

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
        actions.publish(row.core, group_ids=form.group_ids, actor=actor, at=at)

    def remove(self, row: Publication, *, actor: Actor, at: datetime) -> None:
        actions.unpublish(row.core, actor=actor, at=at)


def _head_count() -> Case:
    """How many may call each publication; NULL where the tenant is so large that a whole list would take too long."""
    may_call = Access.objects.filter(publication=OuterRef("pk"), may_call=True).values("publication")
    counted = Coalesce(Subquery(may_call.annotate(callers=Count("pk")).values("callers")), 0)
    is_large = Exists(User.objects.filter(tenant=OuterRef("tenant")).order_by()[MOST_COUNTED : MOST_COUNTED + 1])
    return Case(When(is_large, then=None), default=counted)


def _alarmed(callers: int) -> str:
    if callers:
        return f"{callers} user{'' if callers == 1 else 's'}"
    return format_html('<strong class="alarm">{}</strong>', NOBODY)
