"""Users and groups with what publishing knows of them: what a person may call and why, and what a group opens."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from identity import admin_sections
from identity.admin import GroupAdmin, UserAdmin
from identity.admin_sections import Section, link
from identity.models import Group, User
from publishing import group_paths, registry
from publishing.models import Publication, Refusal, Visibility

LATELY = timedelta(days=30)

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class CallerAdmin(UserAdmin):
    """Users, with the models that they may call and those that they were refused."""

    def sections(self, request: HttpRequest, row: User) -> list[Section]:
        """The groups and keys, what the user may call, and what was refused lately."""
        allowed = list(registry.callable_by(row).order_by("name").values_list("pk", flat=True))
        refused = _refused(request, row, may_call=set(allowed))
        return [*super().sections(request, row), _callable(request, row, allowed), refused]


@admin.register(Group)
class OpeningGroupAdmin(GroupAdmin):
    """Groups, with the models that they open."""

    def sections(self, request: HttpRequest, row: Group) -> list[Section]:
        """The members and the groups around, and the models that are open to them."""
        return [*super().sections(request, row), _opened(request, row, self.around(row))]


def _callable(request: HttpRequest, user: User, core_ids: list[str]) -> Section:
    page = admin_sections.paged(request, "models", core_ids)
    publications = Publication.objects.in_bulk(list(page))
    shown = [publications[core_id] for core_id in page if core_id in publications]
    paths = group_paths.paths_of(user, shown)
    return Section(
        "models",
        "May call now",
        ("Model", "Because"),
        page,
        [(link(one), _because(one, paths.get(one.pk, []))) for one in shown],
        empty="No model." if user.is_active else "No model: the account is switched off.",
    )


def _because(publication: Publication, path: list[Group]) -> str:
    if publication.visibility == Visibility.TENANT:
        return "open to everyone in the tenant"
    return f"member of {' › '.join(group.scaikey_id for group in reversed(path))}"


def _refused(request: HttpRequest, user: User, *, may_call: set[str]) -> Section:
    lately = Refusal.objects.filter(user=user, last_at__gt=timezone.now() - LATELY).select_related("core")
    page = admin_sections.paged(request, "refused", lately.order_by("-last_at", "pk"))
    return Section(
        "refused",
        "Refused in the last 30 days",
        ("Core", "Last refused", "Now"),
        page,
        [(link(one.core), one.last_at, "may call" if one.core_id in may_call else "may not call") for one in page],
        empty="Nothing.",
    )


def _opened(request: HttpRequest, group: Group, around: dict[int, list[Group]]) -> Section:
    """The models that list the group, or one of those around it, in which it is nested."""
    page = admin_sections.paged(request, "opens", group_paths.opened_by(group, around))
    return Section(
        "opens",
        "Opens these models",
        ("Model", "Open to"),
        page,
        [(link(one), _opening_chain(one, group, around)) for one in page],
        empty="No model is open to this group.",
    )


def _opening_chain(publication: Publication, group: Group, around: dict[int, list[Group]]) -> str:
    path = group_paths.path_upwards(publication, group, around)
    return " › ".join(one.scaikey_id for one in path) or "this group"
