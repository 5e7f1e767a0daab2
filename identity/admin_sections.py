"""What the admin's pages are made of besides forms and lists: tables beneath a form, figures to review, and links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

PER_PAGE = 25


@dataclass(frozen=True)
class Section:
    """A table: `rows` are the cells of `page`, and `name` is the parameter of the address that turns its pages.

    `empty` is what is said instead of an empty table; `more` is a link beneath it.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    page: Page[Any]
    rows: list[tuple[Any, ...]]
    empty: str
    more: str = ""


@dataclass(frozen=True)
class Figure:
    """A number of the review on the first page, and the list of what was counted. `alarms`: more than none is bad."""

    label: str
    count: int
    url: str
    alarms: bool = False


def paged(request: HttpRequest, name: str, found: QuerySet[Any] | Sequence[Any]) -> Page[Any]:
    """The page of `found` that the parameter `name` asks for, or the nearest that there is."""
    return Paginator(found, PER_PAGE).get_page(request.GET.get(name))


def page_url(row: Model) -> str:
    """The address of the row's own page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def list_url(model: type[Model], **filters: Any) -> str:
    """The address of the list of a model, narrowed by the parameters of its filters."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def link(row: Model, text: object = None) -> SafeString:
    """A link to the row's own page."""
    return format_html('<a href="{}">{}</a>', page_url(row), row if text is None else text)


def list_link(model: type[Model], text: str, **filters: Any) -> SafeString:
    """A link to the narrowed list of a model."""
    return format_html('<a href="{}">{}</a>', list_url(model, **filters), text)


def action_button(request: HttpRequest, row: Model, action: str, text: str) -> SafeString:
    """A button that begins an action of the row's list with this row alone; it leads back to the page it stands on."""
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="_selected_action" value="{}"><input type="hidden" name="back" value="{}">'
        '<button type="submit" name="action" value="{}">{}</button></form>',
        list_url(type(row)),
        get_token(request),
        row.pk,
        request.get_full_path(),
        action,
        text,
    )
