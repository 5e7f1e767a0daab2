"""The audit log of the tenant, for its admins: searched, with links to what each entry is about."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from rest_framework.serializers import ValidationError

from identity.errors import Invalid
from publishing.api.fields import CursorField, behind_moment, moment_of
from publishing.audit_log.search import search
from webui.decorators import MemberRequest, admin_of, member_page
from webui.people.forms import AuditSearchForm
from webui.people.shown_entries import show_entries

PAGE_SIZE = 50


@require_safe
@member_page
def entry_list(request: MemberRequest) -> HttpResponse:
    """What was changed and is searched for, the newest first, a page at a time."""
    admin_of(request)
    tenant_id = request.user.tenant_id
    given = {name: str(value).replace("\0", "") for name, value in request.GET.items()}
    form = AuditSearchForm(given)
    asked = form.conditions()
    found = search(tenant_id, asked)
    if form.errors:
        found = found.none()
    try:
        cursor = CursorField().to_internal_value(given["before"]) if given.get("before") else ""
        found = found.filter(behind_moment(cursor)) if cursor else found
    except (ValidationError, Invalid):
        pass  # an odd address begins with the newest
    entries = list(found[: PAGE_SIZE + 1])
    facts = {
        "form": form,
        "is_searched": bool(asked or form.errors),
        "entries": show_entries(tenant_id, entries[:PAGE_SIZE]),
        "following": CursorField.at(moment_of(entries[PAGE_SIZE - 1])) if len(entries) > PAGE_SIZE else "",
        "query": urlencode({name: _text(value) for name, value in asked.items()}),
    }
    return render(request, "audit/list.html", facts)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value.isoformat()
