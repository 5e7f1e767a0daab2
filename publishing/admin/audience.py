"""Who may call, as staff read it: a number, the first names, and a page of all of them with the way to each."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.admin.utils import quote, unquote
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from identity.admin_base import StaffAdmin
from identity.models import Group, User
from publishing import downloads, group_paths, registry
from publishing.models import Publication, Visibility

NOBODY = "Nobody can call this"
AUDIENCE, EXPORT = "publishing_publication_audience", "publishing_publication_audience_csv"
FIRST_NAMES = 10
PER_PAGE = 100
PER_CHUNK = 1000
COLUMNS = ("e-mail address", "name", "role", "because")


def count_in_words(callers: int) -> str:
    """`3 users`; nobody at all is said in red."""
    if callers:
        return f"{callers} user{'' if callers == 1 else 's'}"
    return format_html('<strong class="alarm">{}</strong>', NOBODY)


def link_audience(publication: Publication, text: str) -> str:
    """A link to the page of everyone who may call."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{AUDIENCE}", args=[quote(publication.pk)]), text)


def describe_audience(publication: Publication) -> str:
    """The head-count, the first names, and the way to all of them."""
    found = list(registry.audience(publication).values_list("email", flat=True))
    names = ", ".join(found[:FIRST_NAMES])
    return format_html("{}: {} {}", count_in_words(len(found)), names, link_audience(publication, "Who can call this"))


class AudienceAdmin(StaffAdmin):
    """The part of a publication's pages that shows who may call it."""

    def get_urls(self) -> list[URLPattern]:
        seen = self.admin_site.admin_view
        page = path("<path:object_id>/audience/", seen(self.audience), name=AUDIENCE)
        export = path("<path:object_id>/audience.csv", seen(self.export), name=EXPORT)
        return [page, export, *super().get_urls()]

    def audience(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everyone who may call the publication now, page by page, each with the reason."""
        publication = get_object_or_404(self.get_queryset(request), pk=unquote(object_id))
        # Asked once: the decision about thousands of users takes its time.
        page = Paginator(_ids(publication), PER_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Who can call this",
            "subtitle": publication.name,
            "opts": self.opts,
            "publication": publication,
            "page": page,
            "people": list(_with_reasons(publication, list(page))),
        }
        return TemplateResponse(request, "admin/publishing/publication/audience.html", context)

    def export(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The same as CSV, sent while it is read."""
        publication = get_object_or_404(self.get_queryset(request), pk=unquote(object_id))
        return downloads.send(request, _csv(publication), f"callers-of-{publication.core.slug}.csv")


def _ids(publication: Publication) -> list[str]:
    return list(registry.audience(publication).order_by("email").values_list("pk", flat=True))


def _with_reasons(publication: Publication, ids: list[str]) -> Iterator[tuple[User, str]]:
    users = User.objects.in_bulk(ids)
    paths = group_paths.paths_to(publication, users.values()) if publication.visibility == Visibility.GROUPS else {}
    yield from ((users[pk], _reason(publication, paths.get(pk, []))) for pk in ids if pk in users)


def _reason(publication: Publication, way: list[Group]) -> str:
    if publication.visibility == Visibility.TENANT:
        return "open to everyone in the tenant"
    return " › ".join(group.scaikey_id for group in way)


def _csv(publication: Publication) -> Iterator[str]:
    yield downloads.write_lines([COLUMNS])
    ids = _ids(publication)
    for start in range(0, len(ids), PER_CHUNK):
        people = _with_reasons(publication, ids[start : start + PER_CHUNK])
        yield downloads.write_lines((user.email, user.name, user.role, reason) for user, reason in people)
