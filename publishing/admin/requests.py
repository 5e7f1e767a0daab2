"""Access asked for, granted and declined, and who was refused, as staff see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from identity.actors import Actor
from identity.admin_base import ActedForm, StaffAdmin
from identity.admin_bulk import BulkChange, PreviewLine
from identity.admin_sections import Figure, link, list_url
from publishing import actions
from publishing.admin.filters import WEEK, SinceFilter
from publishing.models import Access, AccessRequest, Decision, Grant, Refusal

GRANT, DECLINE = "grant", "decline"


class AnswerForm(ActedForm):
    """Yes, by a group that the model lists, or no."""

    renamed = {"group": "group_id"}

    answer = forms.ChoiceField(
        choices=[(GRANT, "Grant: add the user to a group"), (DECLINE, "Decline; the user may ask again")],
        widget=forms.RadioSelect,
    )
    group_id = forms.ChoiceField(
        required=False,
        label="Group",
        help_text="A group that the model is open to. The user may then call whatever else is open to it, too.",
    )

    class Meta:
        model = AccessRequest
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "group_id" in self.fields:
            groups = [(grant.group.scaikey_id, grant.group.label) for grant in _grants([self.instance])]
            self.fields["group_id"].choices = [("", "---------"), *groups]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        """A yes names its group."""
        cleaned = super().clean()
        if self.cleaned_data.get("answer") == GRANT and not self.cleaned_data.get("group_id") and not self.errors:
            self.add_error("group_id", "Choose the group to add the user to.")
        return cleaned


class _AnswerAll(BulkChange[AccessRequest]):
    related = ("core", "user")

    def lines(self, rows: list[AccessRequest], chosen: dict[str, Any] | None) -> list[PreviewLine]:
        groups = _groups_of(rows)
        return [
            PreviewLine(row, "open", *self.outcome(groups.get(row.core_id, [])))
            if row.decision == Decision.OPEN
            else PreviewLine(row, row.get_decision_display(), row.get_decision_display())
            for row in rows
        ]

    def outcome(self, groups: list[str]) -> tuple[str, str]:
        """What becomes of an open request for a model that lists `groups`, and why nothing does."""
        raise NotImplementedError


class DeclineAll(_AnswerAll):
    """Decline open requests."""

    name, title, done = DECLINE, "Decline selected requests", "Declined."

    def outcome(self, groups: list[str]) -> tuple[str, str]:
        return "declined", ""

    def change(self, row: AccessRequest, chosen: dict[str, Any], *, at: datetime) -> None:
        actions.decline_access(row, actor=self.actor, at=at)


class GrantAll(_AnswerAll):
    """Grant open requests for models that are open to one group, by that group."""

    name, title, done = GRANT, "Grant selected requests", "Granted."

    def outcome(self, groups: list[str]) -> tuple[str, str]:
        if len(groups) == 1:
            return f"granted by {groups[0]}", ""
        return "granted", "the model lists no group." if not groups else "the model lists several groups: open it."

    def change(self, row: AccessRequest, chosen: dict[str, Any], *, at: datetime) -> None:
        [group_id] = _groups_of([row])[row.core_id]
        actions.grant_access(row, group_id=group_id, actor=self.actor, at=at)


@admin.register(AccessRequest)
class AccessRequestAdmin(StaffAdmin):
    """Who asks to call what; an open request is answered here."""

    may_change = True
    form = AnswerForm
    list_display = ("asked_at", "user", "core", "tenant", "message", "decision", "may_call", "decided_by", "decided_at")
    list_filter = ("decision", ("tenant", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "core", "tenant")
    search_fields = ("user__email", "core__slug", "core__name", "message")
    ordering = ("-asked_at", "-pk")
    bulk_changes = (GrantAll, DeclineAll)
    about = ("user_link", "core_link", "message", "asked_at", "may_call", "decision", "decided_by", "decided_at")

    def get_fields(self, request: HttpRequest, obj: AccessRequest | None = None) -> list[Any]:
        return [*self.about, *(["answer", "group_id"] if self.has_change_permission(request, obj) else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: AccessRequest | None = None) -> tuple[str, ...]:
        return self.about

    def has_change_permission(self, request: HttpRequest, obj: AccessRequest | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.decision == Decision.OPEN)

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Whether the users may call by now, for whatever reason."""
        allowed = Access.objects.filter(publication__in=[row.core_id for row in rows], may_call=True)
        may = set(allowed.filter(user__in=[row.user_id for row in rows]).values_list("user_id", "publication_id"))
        for row in rows:
            row.may = (row.user_id, row.core_id) in may

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AccessRequest | None:
        row: AccessRequest | None = super().get_object(request, object_id, from_field)
        self.complete(request, [row] if row else [])
        return row

    @admin.display(description="may call now", boolean=True)
    def may_call(self, row: Any) -> bool:
        return bool(row.may)

    @admin.display(description="user")
    def user_link(self, row: AccessRequest) -> SafeString:
        return link(row.user)

    @admin.display(description="Core")
    def core_link(self, row: AccessRequest) -> SafeString:
        return link(row.core)

    def act(self, row: AccessRequest, form: Any, *, actor: Actor, at: datetime) -> None:
        if form.cleaned_data["answer"] == GRANT:
            actions.grant_access(row, group_id=form.cleaned_data["group_id"], actor=actor, at=at)
        else:
            actions.decline_access(row, actor=actor, at=at)

    def audit_target(self, row: AccessRequest) -> str:
        return row.core_id

    def figures(self, request: HttpRequest, at: datetime) -> list[Figure]:
        """The requests that wait for an answer."""
        waiting = self.get_queryset(request).filter(decision=Decision.OPEN).count()
        return [Figure("access requests wait", waiting, list_url(AccessRequest, decision__exact=Decision.OPEN))]


@admin.register(Refusal)
class RefusalAdmin(StaffAdmin):
    """Users who were refused a model of their own tenant, each with the last time."""

    tenant_path = "core__tenant"
    list_display = ("last_at", "user", "core", "tenant")
    list_filter = (SinceFilter, ("core__tenant", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "core")
    search_fields = ("user__email", "core__slug", "core__name")
    fields = ("user", "core", "last_at")

    def tenant_of(self, row: Refusal) -> str:
        return row.core.tenant_id

    @admin.display(ordering="core__tenant")
    def tenant(self, row: Refusal) -> str:
        return row.core.tenant_id

    def audit_target(self, row: Refusal) -> str:
        return row.core_id

    def figures(self, request: HttpRequest, at: datetime) -> list[Figure]:
        """The people who were refused something this week."""
        lately = self.get_queryset(request).filter(last_at__gt=at - WEEK)
        count = lately.values("user").distinct().count()
        return [Figure("callers refused this week", count, list_url(Refusal, since="7"))]


def _groups_of(rows: list[AccessRequest]) -> dict[str, list[str]]:
    """The ids of the groups that each model asked for is open to."""
    found: dict[str, list[str]] = {}
    for grant in _grants(rows):
        found.setdefault(grant.publication_id, []).append(grant.group.scaikey_id)
    return found


def _grants(rows: list[AccessRequest]) -> QuerySet[Grant]:
    wanted = Grant.objects.filter(publication__in=[row.core_id for row in rows])
    return wanted.select_related("group").order_by("group__scaikey_id")
