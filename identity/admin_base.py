"""The admin shows a tenant's rows to the tenant's staff, and changes them by the actions that everything else calls.

A superuser manages every tenant, other staff their own; `actors.staff_actor_of` says so, and nobody needs permission
rows. What an action refuses appears in the form, next to its field, with everything that was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from identity import actors, admin_bulk
from identity.actors import Actor
from identity.admin_bulk import BulkChange
from identity.admin_fields import label_of, may_be_key
from identity.admin_sections import Figure, Section
from identity.errors import ActionRefused
from identity.models import User

REFUSED = "refused_by_action"
Offer = dict[str, models.QuerySet[Any]]


def actor(request: HttpRequest) -> Actor:
    """The one who sits in front of the admin; it manages nothing unless it is staff."""
    return actors.staff_actor_of(request.user) if isinstance(request.user, User) else Actor("")


def complaints(refused: ActionRefused) -> Iterator[tuple[str, str]]:
    """The sentences of a refusal, each with the field that it is about (empty: none of them)."""
    if refused.problems:
        yield from ((problem.field.split("[")[0], problem.message) for problem in refused.problems)
    else:
        yield "", str(refused)


class ActedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose action may have refused what it was given: then it is shown again and says so."""

    refused: ClassVar[ActionRefused | None] = None
    offered: ClassVar[Offer] = {}
    shown: ClassVar[list[str] | None] = None
    renamed: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django keeps a declared field that the page leaves out, and would read it as emptied.
        self.fields = {name: kept for name, kept in self.fields.items() if self.shown is None or name in self.shown}
        for name in self.offered.keys() & self.fields.keys():
            cast(forms.ModelChoiceField[Any], self.fields[name]).queryset = self.offered[name]

    def clean(self) -> dict[str, Any] | None:
        """Put each sentence of the refusal next to its field."""
        cleaned = super().clean()
        for field, message in complaints(self.refused) if self.refused else ():
            name = self.renamed.get(field, field)
            self.add_error(name if name in self.fields else None, message)
        return cleaned


def tenant_if_choosable(request: HttpRequest) -> list[str]:
    """The field `tenant` of a form for a new row, for those who manage more than one."""
    return ["tenant"] if actor(request).tenants is None else []


def settle_tenant(request: HttpRequest, row: Any) -> None:
    """A new row of somebody who manages one tenant belongs to it; a form never says otherwise."""
    tenants = actor(request).tenants
    if row._state.adding and tenants is not None:
        [row.tenant_id] = tenants


class StaffList(ChangeList):
    """A list whose rows carry what is shown of them: annotated by the list's query, or found for the page at once."""

    model_admin: StaffAdmin

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> models.QuerySet[Any]:
        self.root_queryset = self.model_admin.listed(self.root_queryset)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        # What is posted to a list is a change of some rows: it shows a page of its own, or leads back here.
        if request.method != "POST":
            self.model_admin.complete(request, self.result_list)


class StaffAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The rows of one model. By default only to be looked at; a subclass opens what it has an action for."""

    tenant_path: ClassVar[str] = "tenant"
    may_add: ClassVar[bool] = False
    may_change: ClassVar[bool] = False
    may_delete: ClassVar[bool] = False
    # The first words of the audited actions that are about such a row, and the field by which they name it.
    audit_nouns: ClassVar[tuple[str, ...]] = ()
    audit_field: ClassVar[str] = "pk"
    bulk_changes: ClassVar[tuple[type[BulkChange[Any]], ...]] = ()
    # Where the figures of these rows stand on the first page.
    review_rank: ClassVar[int] = 9

    form = ActedForm
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False

    # What a subclass fills in.

    def tenant_of(self, row: Any) -> str:
        """The slug of the tenant that `row` belongs to."""
        return str(row.tenant_id)

    def act(self, row: Any, form: Any, *, actor: Actor, at: datetime) -> None:
        """Save `row`, which the form has filled, by an action."""
        raise NotImplementedError

    def remove(self, row: Any, *, actor: Actor, at: datetime) -> None:
        """Delete `row` by an action."""
        raise NotImplementedError

    def offered(self, request: HttpRequest, row: Any) -> Offer:
        """What may be chosen in the form's fields that point to other rows."""
        return {}

    def listed(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """`rows` with everything that the list shows of them."""
        return rows

    def narrow(self, rows: models.QuerySet[Any], asked: Mapping[str, str]) -> models.QuerySet[Any]:
        """Those of `rows` among which a field of another page searches; `asked` is what that field is narrowed by."""
        return rows

    def found_as(self, row: Any, request: HttpRequest) -> str:
        """The text of `row` in the results of such a search."""
        return label_of(row)

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Give the rows of one page of the list what would be slow to find for all of them."""

    def sections(self, request: HttpRequest, row: Any) -> list[Section]:
        """The tables beneath the form of `row`."""
        return []

    def figures(self, request: HttpRequest, at: datetime) -> list[Figure]:
        """What the first page counts of these rows."""
        return []

    def page(self, name: str, *args: str) -> str:
        """The address of one of this model's pages, such as `change`."""
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    # Who sees and may do what.

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The rows of the tenants that this person manages; every page, list and choice starts here."""
        rows = super().get_queryset(request)
        tenants = actor(request).tenants
        return rows if tenants is None else rows.filter(**{f"{self.tenant_path}__in": tenants})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_managed(request, None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_managed(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and self._is_managed(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change and self._is_managed(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and self._is_managed(request, obj)

    def _is_managed(self, request: HttpRequest, row: Any) -> bool:
        asking = actor(request)
        return asking.manages(self.tenant_of(row)) if row is not None else asking.tenants != frozenset()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No filter in the address may feel its way along a secret."""
        return not {"password", "digest"} & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StaffList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The tenant is a column for those who see more than one."""
        return self._without_tenant(request, super().get_list_display(request))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """The tenant is a filter for those who see more than one."""
        return self._without_tenant(request, super().get_list_filter(request))

    def _without_tenant(self, request: HttpRequest, shown: Iterable[Any]) -> list[Any]:
        is_alone = actor(request).tenants is not None
        return [one for one in shown if not (is_alone and _is_by_tenant(one, self.tenant_path))]

    # How a change goes through.

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.refused, made.offered = getattr(request, REFUSED, None), self.offered(request, obj)
        made.shown = kwargs.get("fields")
        return made

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form's page; when the action refuses, the transaction has ended and the page shows why."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ActionRefused as refused:
            setattr(request, REFUSED, refused)
            return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "refused": refused})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **named: Any
    ) -> HttpResponse:
        row = context.get("original")
        return super().render_change_form(
            request, {**context, "sections": self.sections(request, row) if row else []}, *args, **named
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.act(obj, form, actor=actor(request), at=timezone.now())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: the action has saved what belongs to the row."""

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The question before a deletion; what the action refuses leads back to the row."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except ActionRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return HttpResponseRedirect(self.page("change", object_id))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(obj, actor=actor(request), at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """The rows, and how many others go along: counted, since a group of many would make a page of many.

        Whether they may go is the action's decision, not one of other pages' permissions.
        """
        rows = list(objs)
        counted = {str(self.opts.verbose_name_plural): len(rows)}
        for related in self.opts.related_objects:
            if related.on_delete is models.CASCADE:
                others = related.related_model._default_manager.filter(**{f"{related.field.name}__in": rows})
                counted[str(related.related_model._meta.verbose_name_plural)] = others.count()
        return [str(row) for row in rows], {name: count for name, count in counted.items() if count}, set(), []

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Django's, and the changes of many rows that are shown before they are done."""
        found: dict[str, Any] = dict(super().get_actions(request))
        if IS_POPUP_VAR in request.GET or not self._is_managed(request, None):
            return found
        return found | {one.name: (_run(one), one.name, one.title) for one in self.bulk_changes}

    def response_action(
        self, request: HttpRequest, queryset: models.QuerySet[Any], *rest: Any, **named: Any
    ) -> HttpResponse | None:
        """A change of many rows: all of them, or none and a message."""
        if wrong := self._wrong_with(admin_bulk.chosen(request), queryset):
            self.message_user(request, f"Nothing was done: {wrong}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        try:
            with transaction.atomic():
                return super().response_action(request, queryset, *rest, **named)
        except ActionRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def _wrong_with(self, chosen: list[str] | None, everything: models.QuerySet[Any]) -> str:
        """Why nothing can be done to the chosen rows; None of them named means all of `everything`."""
        count = everything.count() if chosen is None else len(chosen)
        if count > admin_bulk.MOST_AT_ONCE:
            return f"{count} rows are chosen, and at most {admin_bulk.MOST_AT_ONCE} are changed at once."
        is_unknown = not all(may_be_key(self.model, one) for one in chosen or ())
        return "a row that was chosen does not exist." if is_unknown else ""

    # The audit log is the only log of changes: Django's own would die with its user.

    def log_addition(self, *_: Any) -> None:  # type: ignore[override]
        """Nothing."""

    def log_change(self, *_: Any) -> None:  # type: ignore[override]
        """Nothing."""

    def log_deletions(self, *_: Any) -> None:  # type: ignore[override]
        """Nothing."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseRedirect:
        """The audit entries of the row."""
        row = self.get_object(request, unquote(object_id))
        found = {"target": self.audit_target(row), "tenant": self.tenant_of(row)} if row else {"target": object_id}
        return HttpResponseRedirect(f"{reverse('admin:identity_auditentry_changelist')}?{urlencode(found)}")

    def audit_target(self, row: Any) -> str:
        """The name of `row` in the audit log."""
        return str(getattr(row, self.audit_field))

    def audited(self, request: HttpRequest, targets: Iterable[str]) -> dict[tuple[str, str], Any]:
        """The rows that the audit log calls by these names, by tenant and name."""
        rows = self.get_queryset(request).filter(**{f"{self.audit_field}__in": list(targets)})
        return {(self.tenant_of(row), self.audit_target(row)): row for row in rows}


def _run(change: type[BulkChange[Any]]) -> Callable[[StaffAdmin, HttpRequest, models.QuerySet[Any]], HttpResponse]:
    return lambda model_admin, request, rows: admin_bulk.run(change(actor(request)), model_admin, request, rows)


def _is_by_tenant(one: Any, tenant_path: str) -> bool:
    return {"tenant", tenant_path} & {one[0] if isinstance(one, tuple) else one} != set()
