"""Flows as a whole: duplicated, exported to a file, made from one, deleted."""

from __future__ import annotations

from anyascii import anyascii
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from identity.actors import Actor, actor_of
from identity.errors import ActionRefused, NotAllowed
from publishing import actions, declared
from publishing.api import flow_serializers
from publishing.declared import DeclarationRefused, FiledFlow
from publishing.models import Entity, Flow, Schedule
from webui.decorators import MemberRequest, admin_of, member_page
from webui.flow_context import own_flow
from webui.forms import FlowFileForm, NewFlowForm

CONTENT_TYPES = {"json": "application/json", "yaml": "application/yaml"}


@require_safe
@member_page
def export_flow(request: MemberRequest, flow_id: str, ending: str) -> HttpResponse:
    """What is saved, as JSON or as a file for `manage.py apply`; without the groups for those who may not see them."""
    flow = own_flow(request.user, flow_id)
    if ending not in CONTENT_TYPES:
        raise Http404
    document = flow_serializers.document(flow.saved, actor_of(request.user))
    text = declared.write_json(document) if ending == "json" else declared.write_yaml(flow, document)
    name = slugify(anyascii(flow.name)) or "flow"
    answer = HttpResponse(text, content_type=f"{CONTENT_TYPES[ending]}; charset=utf-8")
    answer.headers["content-disposition"] = content_disposition_header(True, f"{name}.{ending}")
    return answer


@require_POST
@member_page
def import_flows(request: MemberRequest) -> HttpResponse:
    """Make the flows of a file, all or none of them."""
    actor, form = admin_of(request), FlowFileForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            made = _make(request, form, actor)
        except (DeclarationRefused, ActionRefused) as refusal:
            if isinstance(refusal, NotAllowed):
                raise
            why = [problem.message for problem in getattr(refusal, "problems", ())]
            form.add_error("file", " ".join(["Nothing was made.", str(refusal), *why]))
        else:
            messages.success(request, f"Made {made[0].name}" if len(made) == 1 else f"Made {len(made)} flows")
            return redirect("flow", made[0].pk) if len(made) == 1 else redirect("flows")
    new = NewFlowForm(tenant_id=request.user.tenant_id)
    return render(request, "flows/new.html", {"form": new, "file_form": form}, status=422)


@transaction.atomic
def _make(request: MemberRequest, form: FlowFileForm, actor: Actor) -> list[Flow]:
    file = form.cleaned_data["file"]
    found: list[FiledFlow] = declared.read_file(file.read(), file.name)
    return [
        actions.create_flow(
            tenant=request.user.tenant,
            name=each.name,
            description=each.description,
            content=each.content,
            owner=request.user,
            actor=actor,
            at=timezone.now(),
        )
        for each in found
    ]


@require_POST
@member_page
def duplicate_flow(request: MemberRequest, flow_id: str) -> HttpResponse:
    """Make another flow of what is saved, and open it."""
    flow, actor = own_flow(request.user, flow_id), admin_of(request)
    copied = actions.duplicate_flow(flow, owner=request.user, actor=actor, at=timezone.now())
    messages.success(request, f"This is {copied.name}. Nothing of it is deployed.")
    return redirect("flow", copied.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def delete_flow(request: MemberRequest, flow_id: str) -> HttpResponse:
    """Delete a flow with all that was made of it, once an admin has seen what that is."""
    flow, actor = own_flow(request.user, flow_id), admin_of(request)
    if request.method != "POST":
        return _before_delete(request, flow)
    name = flow.name
    try:
        actions.delete_flow(flow, actor=actor, at=timezone.now())
    except NotAllowed:
        raise
    except ActionRefused as refusal:
        messages.error(request, f"{refusal} Nothing was deleted.")
        return redirect("delete-flow", flow.pk)
    messages.success(request, f"Deleted {name}")
    return redirect("flows")


def _before_delete(request: MemberRequest, flow: Flow) -> HttpResponse:
    core = getattr(flow, "core", None)
    return render(
        request,
        "flows/delete.html",
        {
            "flow": flow,
            "core": core,
            "publication": getattr(core, "publication", None),
            "versions": flow.versions.count(),
            "memories": Entity.objects.filter(core=core, turns_committed__gt=0).count() if core else 0,
            "schedules": Schedule.objects.filter(core=core).count() if core else 0,
        },
    )
