"""Who may call, as staff read it: a number, the first names, and the way to all of them."""

from __future__ import annotations

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import format_html

from publishing import registry
from publishing.models import Publication

NOBODY = "Nobody can call this"
AUDIENCE = "publishing_publication_audience"
FIRST_NAMES = 10


def count_in_words(callers: int) -> str:
    """`3 users`; nobody at all is said in red."""
    if callers:
        return f"{callers} user{'' if callers == 1 else 's'}"
    return format_html('<strong class="alarm">{}</strong>', NOBODY)


def describe_audience(publication: Publication) -> str:
    """The head-count, the first names, and the way to all of them."""
    found = registry.audience(publication)
    return format_html(
        '{}: {} <a href="{}">Who can call this</a>',
        count_in_words(found.count()),
        ", ".join(str(user) for user in found[:FIRST_NAMES]),
        reverse(f"admin:{AUDIENCE}", args=[quote(publication.pk)]),
    )
