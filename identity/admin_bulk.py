"""One change of many rows: first a page that says what would change, then all of it as it was shown, or nothing.

What was shown travels with the confirmation as one digest for each row. When the rows, locked by then, no longer read
the same, nothing is done and the page is shown anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from identity.actors import Actor
from identity.admin_sections import page_url

Row = TypeVar("Row", bound=Model)

MOST_AT_ONCE = 500
MOST_NAMED = 5


@dataclass(frozen=True)
class PreviewLine:
    """What a change would make of one row. `refusal`: why the row stays as it is; `alarm`: what to look at twice."""

    row: Model
    now: str
    then: str
    refusal: str = ""
    alarm: str = ""

    @property
    def changes(self) -> bool:
        """Whether anything would be done."""
        return not self.refusal and self.now != self.then

    @property
    def digest(self) -> str:
        """Two lines that read the same have the same."""
        shown = json.dumps([self.now, self.then, self.refusal, self.alarm])
        return hashlib.sha256(shown.encode()).hexdigest()[:16]

    @property
    def url(self) -> str:
        """The row's own page."""
        return page_url(self.row)


class BulkChange(Generic[Row]):
    """A change of the chosen rows of a list. A subclass says what each row is now and then, and does it."""

    name: ClassVar[str]
    title: ClassVar[str]
    done: ClassVar[str]
    form_class: ClassVar[type[forms.Form]] = forms.Form
    related: ClassVar[tuple[str, ...]] = ()

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def load(self, rows: QuerySet[Row], *, is_final: bool) -> list[Row]:
        """The rows in a fixed order, so that two of these wait for each other; locked when it is meant."""
        found = rows.select_related(*self.related).order_by("pk")
        return list(found.select_for_update(of=("self",), no_key=True) if is_final else found)

    def form(self, rows: list[Row], data: Any) -> forms.Form:
        """What else has to be chosen."""
        return self.form_class(data)

    def lines(self, rows: list[Row], chosen: dict[str, Any] | None) -> list[PreviewLine]:
        """What would become of each row; `chosen` is None until the form is filled in."""
        raise NotImplementedError

    def change(self, row: Row, chosen: dict[str, Any], *, at: datetime) -> None:
        """Do it to one row, by an action."""
        raise NotImplementedError


def run(
    change: BulkChange[Any], model_admin: admin.ModelAdmin[Any], request: HttpRequest, chosen_rows: QuerySet[Any]
) -> HttpResponse:
    """The page that shows what would change; behind its button, the change. Call it inside a transaction."""
    seen = _seen(request)
    pks = list(chosen_rows.values_list("pk", flat=True))
    rows = change.load(model_admin.model._default_manager.filter(pk__in=pks), is_final=seen is not None)
    form = change.form(rows, request.POST if _is_filled(request, change) else None)
    wanted = form.cleaned_data if form.is_valid() else None
    lines = change.lines(rows, wanted)
    if seen is not None and wanted is not None:
        differing = _differing(lines, seen)
        if not differing:
            return _do(change, model_admin, request, lines, wanted)
        model_admin.message_user(request, _changed_since(differing), messages.ERROR)
    return _page(change, model_admin, request, form, lines, is_final=wanted is not None)


def chosen(request: HttpRequest) -> list[str] | None:
    """The ids of the rows that a post of the list is about; None when it is about all that the list finds."""
    return None if request.POST.get("select_across") == "1" else request.POST.getlist(ACTION_CHECKBOX_NAME)


def _do(
    change: BulkChange[Any],
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    lines: list[PreviewLine],
    chosen: dict[str, Any],
) -> HttpResponse:
    changing = [line for line in lines if line.changes]
    at = timezone.now()
    for line in changing:
        change.change(line.row, chosen, at=at)
    said = f"{change.done} Changed: {len(changing)}. Left as they were: {len(lines) - len(changing)}."
    model_admin.message_user(request, said, messages.SUCCESS)
    return HttpResponseRedirect(_way_back(request))


def _page(
    change: BulkChange[Any],
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    form: forms.Form,
    lines: list[PreviewLine],
    *,
    is_final: bool,
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": change.title,
        "opts": model_admin.opts,
        "media": model_admin.media + form.media,
        "change": change,
        "form": form,
        "lines": lines,
        "changing": sum(line.changes for line in lines),
        "is_final": is_final,
        "seen": json.dumps({str(line.row.pk): line.digest for line in lines}),
        "back": _way_back(request),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/bulk_change.html", context)


def _is_filled(request: HttpRequest, change: BulkChange[Any]) -> bool:
    return "filled" in request.POST or not change.form_class.base_fields


def _seen(request: HttpRequest) -> dict[str, str] | None:
    """The digests of the page on which this was confirmed; None when it was not."""
    if "confirm" not in request.POST:
        return None
    try:
        seen = json.loads(request.POST.get("seen", ""))
    except ValueError:
        return {}
    return seen if isinstance(seen, dict) else {}


def _differing(lines: Sequence[PreviewLine], seen: dict[str, str]) -> list[str]:
    """The rows that read otherwise than they were shown, that are gone, or that have come."""
    now = {str(line.row.pk): line for line in lines}
    named = [str(now[pk].row) if pk in now else pk for pk in sorted(now.keys() | seen.keys())]
    keys = sorted(now.keys() | seen.keys())
    return [name for name, pk in zip(named, keys, strict=True) if pk not in now or seen.get(pk) != now[pk].digest]


def _changed_since(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED]) + (" and others" if len(names) > MOST_NAMED else "")
    return f"Nothing was done: changed since you looked: {shown}. Look again."


def _way_back(request: HttpRequest) -> str:
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None, require_https=request.is_secure()):
        return back
    return request.get_full_path()
