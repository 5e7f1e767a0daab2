"""ScaiKey groups, as staff see them: their members, and the groups around them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from identity import admin_base, admin_sections
from identity import groups as identity_groups
from identity.actors import Actor
from identity.admin_base import StaffAdmin
from identity.admin_forms import GroupForm
from identity.admin_sections import Section
from identity.models import Group, Membership, Nesting, User

# A page with more members than this is no longer a form that a person fills in.
MOST_MEMBERS = 500


@admin.register(Group)
class GroupAdmin(StaffAdmin):
    """ScaiKey groups with their direct members: users, and groups nested in them."""

    audit_nouns, audit_field = ("group",), "scaikey_id"
    may_add = may_change = may_delete = True
    form = GroupForm
    autocomplete_fields = ("tenant",)
    list_display = ("scaikey_id", "name", "tenant", "user_count", "group_count", "created_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("scaikey_id", "name")

    def listed(self, rows: QuerySet[Group]) -> QuerySet[Group]:
        return rows.annotate(user_count=_counted(Membership, "group"), group_count=_counted(Nesting, "parent"))

    def narrow(self, rows: QuerySet[Group], asked: Mapping[str, str]) -> QuerySet[Group]:
        return rows.filter(tenant=asked["tenant"]) if asked.get("tenant") else rows

    def found_as(self, row: Group, request: HttpRequest) -> str:
        """By id and name; by its tenant as well where the search goes through those of several."""
        is_alone = "tenant" in request.GET or admin_base.actor(request).tenants is not None
        return row.label if is_alone else f"{row.label}, {row.tenant_id}"

    @admin.display(description="direct users", ordering="user_count")
    def user_count(self, group: Any) -> int:
        return int(group.user_count)

    @admin.display(description="nested groups", ordering="group_count")
    def group_count(self, group: Any) -> int:
        return int(group.group_count)

    @admin.display(description="members")
    def too_many(self, group: Group) -> str:
        return f"{group.memberships.count()} users: too many for this form. `manage.py apply` changes them."

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[Any]:
        if obj is None:
            return [*admin_base.tenant_if_choosable(request), "scaikey_id", "name", "users", "groups"]
        is_large = obj.memberships.count() > MOST_MEMBERS
        return ["tenant", "scaikey_id", "name", *(["too_many"] if is_large else ["users", "groups"]), "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        return ("tenant", "scaikey_id", "created_at", "too_many") if obj else ()

    def offered(self, request: HttpRequest, row: Group | None) -> admin_base.Offer:
        """Users and groups of the group's own tenant; while it has none, of every tenant that the actor manages."""
        users, groups = User.objects.all(), Group.objects.all()
        if row is not None:
            return {"users": users.filter(tenant=row.tenant_id), "groups": groups.filter(tenant=row.tenant_id)}
        tenants = admin_base.actor(request).tenants
        if tenants is None:
            return {"users": users, "groups": groups}
        return {"users": users.filter(tenant__in=tenants), "groups": groups.filter(tenant__in=tenants)}

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        admin_base.settle_tenant(request, obj)
        super().save_model(request, obj, form, change)

    def act(self, row: Group, form: Any, *, actor: Actor, at: datetime) -> None:
        identity_groups.save_group(row, actor=actor, at=at)
        if {"users", "groups"} & set(form.changed_data):
            chosen = form.cleaned_data
            identity_groups.set_members(row, users=chosen["users"], groups=chosen["groups"], actor=actor, at=at)

    def remove(self, row: Group, *, actor: Actor, at: datetime) -> None:
        identity_groups.delete_group(row, actor=actor, at=at)

    def sections(self, request: HttpRequest, row: Group) -> list[Section]:
        """Who is in the group, and the groups around it."""
        nested, holders = identity_groups.groups_inside(row), self.around(row)
        return [
            self._members(request, row, nested),
            _chains(request, "inside", "Groups nested in this one", nested, "No group is nested in this one."),
            _chains(request, "around", "Groups that this one is nested in", holders, "It is nested in no group."),
        ]

    def around(self, row: Any) -> dict[int, list[Group]]:
        """The groups that `row` is nested in, with the chain to each; found once for all tables of a page."""
        if not hasattr(row, "groups_around"):
            row.groups_around = identity_groups.groups_around(row)
        return row.groups_around  # type: ignore[no-any-return]

    def _members(self, request: HttpRequest, group: Group, nested: dict[int, list[Group]]) -> Section:
        page = admin_sections.paged(request, "members", identity_groups.everyone_in([group.pk, *nested]))
        chains = identity_groups.chains_to(group, nested, page.object_list)
        return Section(
            "members",
            "Members",
            ("User", "Name", "Role", "Active", "Member through"),
            page,
            [
                (
                    admin_sections.link(user),
                    user.name,
                    user.get_role_display(),
                    "yes" if user.is_active else "switched off",
                    describe_chain(list(reversed(chains[user.pk]))),
                )
                for user in page
            ],
            empty="No user is in this group, nor in one that is nested in it.",
        )


def describe_chain(chain: list[Group]) -> str:
    """The way from a member to a group: `directly`, or the groups in between, the member's own one first."""
    return " › ".join(group.scaikey_id for group in chain) if chain else "directly"


def _chains(request: HttpRequest, name: str, title: str, found: dict[int, list[Group]], empty: str) -> Section:
    """A table of groups with the way to each, the nearest first."""
    page = admin_sections.paged(request, name, sorted(found.values(), key=lambda chain: (len(chain), str(chain[-1]))))
    rows = [(admin_sections.link(chain[-1]), chain[-1].name, describe_chain(chain[:-1])) for chain in page]
    return Section(name, title, ("Group", "Name", "Through"), page, rows, empty)


def _counted(model: type[Membership] | type[Nesting], field: str) -> Coalesce:
    """How many rows of `model` point to the group by `field`."""
    mine = model._default_manager.filter(**{field: OuterRef("pk")}).order_by().values(field)
    return Coalesce(Subquery(mine.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)
