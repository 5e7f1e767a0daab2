"""Publications, as staff see them: their visibility, who may call now, and what is worth a look."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import display_for_value
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from identity import admin_base
from identity.actors import Actor
from identity.admin_sections import Figure, list_url
from identity.errors import Invalid, Problem
from identity.models import Group
from publishing import actions, disagreements, reach
from publishing.actions.base import lock_core
from publishing.admin import page_state
from publishing.admin.audience import AudienceAdmin, count_in_words, describe_audience, link_audience
from publishing.admin.changes import HoldPublished, Restrict, Unpublish
from publishing.admin.filters import ReviewFilter, narrow_publications
from publishing.admin.forms import NewPublicationForm, PublicationForm
from publishing.admin.widening import publish_if_agreed
from publishing.errors import NotPublished
from publishing.models import Core, Publication, Visibility

NO_GROUP = "no group is left"
# The choices of the review that the first page counts, and whether more than none is bad.
COUNTED = (
    ("open", "open to a whole tenant", False),
    ("nobody", "callable by nobody", True),
    ("lost", "name a deleted group", True),
    ("widened-7", "widened this week", True),
    ("new-7", "published this week", False),
)


@admin.register(Publication)
class PublicationAdmin(AudienceAdmin):
    """What is published, to whom, and who may call it now. Adding one publishes, deleting one un-publishes."""

    may_add = may_change = may_delete = True
    review_rank = 1
    list_per_page = 25
    form = PublicationForm
    list_display: tuple[str, ...] = (
        "name",
        "tenant",
        "shown_to",
        "head_count",
        "flow_says",
        "published",
    )
    list_filter = (ReviewFilter, "visibility", ("tenant", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("tenant", "core__hold")
    search_fields = ("name", "core__name", "core__id", "published_by", "grants__group__scaikey_id")
    bulk_changes = (Unpublish, Restrict, HoldPublished)
    fields = ("name", "core", "visibility", "allowed_groups", "seen", "callers", "published_at", "published_by")
    readonly_fields = ("name", "core", "callers", "published_at", "published_by")
    fields_of_new = ("core", "visibility", "allowed_groups")

    def listed(self, rows: QuerySet[Publication]) -> QuerySet[Publication]:
        return rows.prefetch_related("grants__group")

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """How many may call each, the groups that were deleted, and what the flows say otherwise; a query for each."""
        callers, lost = reach.count_callers(rows), reach.find_lost_groups(rows)
        contents = disagreements.find_contents([row.core for row in rows])
        for row in rows:
            row.calling, row.lost = callers[row.pk], lost[row.pk]
            row.difference = disagreements.find_difference(row.core, contents.get(row.core.flow_id, {}))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Django's deletion of many would un-publish without a look at what they are."""
        return {name: one for name, one in super().get_actions(request).items() if name != "delete_selected"}

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
    def shown_to(self, publication: Any) -> str:
        if publication.visibility == Visibility.TENANT:
            return Visibility.TENANT.label
        gone = [format_html('<strong class="alarm">{} was deleted</strong>', group_id) for group_id in publication.lost]
        return format_html_join(", ", "{}", [(one,) for one in [*publication.group_ids, *gone] or [NO_GROUP]])

    @admin.display(description="may call now")
    def head_count(self, publication: Any) -> str:
        return link_audience(publication, count_in_words(publication.calling))

    @admin.display(description="flow says", empty_value="the same")
    def flow_says(self, publication: Any) -> str | None:
        if publication.difference is None:
            return None
        return format_html('<strong class="alarm">{}</strong>', publication.difference.flow)

    @admin.display(ordering="published_at")
    def published(self, publication: Publication) -> str:
        at = display_for_value(publication.published_at, self.get_empty_value_display())
        return f"{at}, {publication.published_by}"

    @admin.display(description="who can call this now")
    def callers(self, publication: Publication) -> str:
        return describe_audience(publication)

    def figures(self, request: HttpRequest, at: datetime) -> list[Figure]:
        """How many there are of each choice of the review."""
        mine = self.get_queryset(request)
        figures = [Figure("publications", mine.count(), list_url(Publication))]
        for choice, label, alarms in COUNTED:
            count = narrow_publications(mine, choice, at=at).count()
            figures.append(Figure(label, count, list_url(Publication, review=choice), alarms))
        return figures

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


def _publish_first(row: Publication, form: NewPublicationForm, *, actor: Actor, at: datetime) -> None:
    """Publish what was not, and fill `row` with it: the page then names it."""
    core = form.cleaned_data["core"]
    _, is_new = actions.publish(core, group_ids=form.group_ids, actor=actor, at=at)
    if not is_new:
        advice = "Somebody else has published it meanwhile. Look at its publication."
        raise Invalid("The Core is published already.", [Problem("core_id", advice)])
    row.refresh_from_db()
