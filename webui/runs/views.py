"""The list of runs and the page of one: tenant admins see all of the tenant, everybody else their own."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe
from rest_framework.serializers import ValidationError

from chatapi.models import UsageRecord
from chatapi.run_history import records
from identity.actors import actor_of
from identity.errors import Invalid
from publishing.api.fields import CursorField, moment_of
from publishing.models import Core
from webui.decorators import MemberRequest, member_page
from webui.runs import shown_runs, shown_traces
from webui.runs.forms import RunSearchForm

PAGE_SIZE: Final = 50
CORES_OFFERED: Final = 100


@require_safe
@member_page
def run_list(request: MemberRequest) -> HttpResponse:
    """The runs that are searched for, the newest first, a page at a time. A request id leads to its run."""
    actor, tenant_id = actor_of(request.user), request.user.tenant_id
    manages = actor.manages(tenant_id)
    given = {name: str(value).replace("\0", "").strip() for name, value in request.GET.items()}
    form = RunSearchForm(given, is_admin=manages)
    asked = form.conditions(timezone.now())
    seen = records.seen_by(actor, request.user)
    if wanted := asked.pop("request_id", ""):
        if seen.filter(request_id=wanted).exists():
            return redirect("run", wanted)
        form.add_error("request_id", "No run has this id. A call that was refused before it ran leaves none.")
        seen = seen.none()
    found = list(_behind(records.search(seen, tenant_id, asked), tenant_id, given.get("before", ""))[: PAGE_SIZE + 1])
    return render(
        request,
        "runs/list.html",
        {
            "form": form,
            "manages": manages,
            "core": Core.objects.filter(tenant=tenant_id, pk=asked.get("core", "")).first(),
            "cores": Core.objects.filter(tenant=tenant_id).values_list("slug", flat=True)[:CORES_OFFERED],
            "runs": shown_runs.show(found[:PAGE_SIZE]),
            "following": CursorField.at(moment_of(found[PAGE_SIZE - 1])) if len(found) > PAGE_SIZE else "",
            **_kept(),
        },
    )


@require_safe
@member_page
def run(request: MemberRequest, request_id: str) -> HttpResponse:
    """One run: how it ended and, where its flow keeps traces, what its nodes did."""
    actor = actor_of(request.user)
    record = records.find(actor, request.user, request_id)
    ran, trace = shown_traces.find_document(record), records.find_trace(record)
    manages = actor.manages(record.tenant_id)
    nodes = shown_traces.show_nodes(trace, ran, actor) if trace else []
    return render(
        request,
        "runs/run.html",
        {
            "run": shown_runs.show([record])[0],
            "manages": manages,
            "flow": ran.flow,
            "core": Core.objects.filter(tenant=record.tenant_id, pk=record.core_id).first(),
            "failed_at": shown_traces.name_node(ran, record.node_id),
            "trace": trace,
            "nodes": nodes,
            "asked": shown_traces.show_input(trace),
            # The conditions on the edges are the flow's own, which not everybody may read.
            "picture": shown_traces.draw(trace, ran) if trace and manages else None,
            **_kept(),
        },
    )


def _behind(rows: QuerySet[UsageRecord], tenant_id: str, before: str) -> QuerySet[UsageRecord]:
    """Those behind the cursor; one that cannot be read leads to the first page."""
    try:
        cursor = CursorField().to_internal_value(before) if before else ""
        return records.search(rows, tenant_id, {"cursor": cursor})
    except (Invalid, ValidationError):
        return rows


def _kept() -> dict[str, Any]:
    """For how many days what is on these pages is kept; 0 for runs that nothing removes."""
    return {"usage_days": settings.USAGE_DAYS, "trace_days": settings.TRACE_DAYS}
