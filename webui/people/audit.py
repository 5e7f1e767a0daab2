"""The audit log of the tenant, for its admins: searched, with links to what each entry is about, and undone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from rest_framework.serializers import ValidationError

from identity.errors import ActionRefused, Invalid
from identity.models import AuditEntry
from publishing import actions
from publishing.actions import undoing
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


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def undo(request: MemberRequest, entry_id: int) -> HttpResponse:
    """Take back one change, once the admin has seen what that does."""
    actor, at = admin_of(request), timezone.now()
    entry = get_object_or_404(AuditEntry, tenant=request.user.tenant_id, pk=entry_id)
    if not undoing.is_undoable(entry):
        raise Http404
    facts: dict[str, Any] = {"entry": entry, "says": undoing.describe(entry)}
    if request.method != "POST":
        facts["obstacle"] = undoing.find_obstacle(entry, actor=actor, at=at)
        return render(request, "audit/undo.html", facts)
    try:
        actions.undo(entry, actor=actor, at=at)
    except ActionRefused as refusal:
        return render(request, "audit/undo.html", facts | {"obstacle": str(refusal)}, status=refusal.status)
    messages.success(request, f"Undone: {entry}")
    return redirect("audit")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value.isoformat()
