"""The links at the top of every page."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from identity.models import User
from webui import offered_models

register = template.Library()


@register.simple_tag(takes_context=True)
def site_link(context: Context, view: str, label: str) -> SafeString:
    """A link to `view`, marked when the page is that one or below it."""
    url = reverse(view)
    is_here = context["request"].path.startswith(url)
    return format_html('<a href="{}"{}>{}</a>', url, SafeString(' aria-current="true"') if is_here else "", label)


@register.simple_tag
def requests_waiting(user: User) -> SafeString:
    """How many requests for access wait for this admin; nothing where none does."""
    count = offered_models.count_waiting(user.tenant_id)
    text = '<a class="waiting" href="{}">{}<span class="unseen"> request{} for access waiting</span></a>'
    return format_html(text, reverse("models"), count, "" if count == 1 else "s") if count else SafeString("")
