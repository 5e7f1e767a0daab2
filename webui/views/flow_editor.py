"""What the flow editor asks for beside the API: the data of its page, where the flow stands, what a deploy would
change, and rolling back, which `/v1` opens to keys only."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

import scaicore
from identity.actors import Actor, actor_of
from identity.errors import ActionRefused, Invalid, Problem
from identity.models import User
from publishing import actions, deploy_plan, deploy_state, documents, registry
from publishing.api import errors, flow_serializers
from publishing.disagreements import find_disagreement
from publishing.models import Core, Flow, FlowVersion
from scaicore.language.variables import TYPES
from webui import flow_context
from webui.decorators import MemberRequest, admin_of, member_page

Given = ParamSpec("Given")
Answer = Callable[Concatenate[MemberRequest, Given], HttpResponse]


def refusals_as_json(view: Answer[Given]) -> Answer[Given]:
    """Answer a refusal as `/api/v1` does."""

    @wraps(view)
    def answered(request: MemberRequest, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ActionRefused as refusal:
            return errors.api(request, refusal)

    return answered


def own_flow(user: User, flow_id: str) -> Flow:
    """The flow of the user's own tenant; another's is 404 like one that never existed."""
    mine = Flow.objects.select_related("tenant", "core__live", "core__publication", "core__hold")
    return get_object_or_404(mine, pk=flow_id, tenant=user.tenant_id)


def page_data(user: User, flow: Flow, saved: FlowVersion) -> str:
    """Everything that the editor starts with, as JSON."""
    actor = actor_of(user)
    may_change = actor.manages(flow.tenant_id)
    data = {
        "flow_id": flow.pk,
        "saved": {
            "version": saved.version,
            "by": saved.created_by,
            "at": saved.created_at,
            "content": flow_serializers.document(saved, actor),
        },
        "standing": _standing(flow, saved, actor),
        "kinds": scaicore.describe(),
        "unavailable": scaicore.UNAVAILABLE,
        "variable_types": list(TYPES),
        "user_id": user.pk,
        "tenant_name": flow.tenant.name or flow.tenant_id,
        "may_change": may_change,
        "admins": [] if may_change else flow_context.some_admins(flow),
        "urls": {
            "flow": reverse("flow", args=[flow.pk]),
            "standing": reverse("flow-standing", args=[flow.pk]),
            "plan": reverse("flow-plan", args=[flow.pk]),
            "rollback": reverse("flow-rollback", args=[flow.pk]),
        },
    }
    return json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False)


@member_page
@require_GET
def flow_standing(request: MemberRequest, flow_id: str) -> HttpResponse:
    """Where the flow stands now."""
    flow = own_flow(request.user, flow_id)
    return JsonResponse(_standing(flow, flow.saved, actor_of(request.user)))


@member_page
@require_POST
def flow_plan(request: MemberRequest, flow_id: str) -> HttpResponse:
    """What a deploy of the saved version would change or be refused for."""
    flow = own_flow(request.user, flow_id)
    actor = admin_of(request)
    try:
        plan = deploy_plan.plan_deploy(flow, actor=actor, at=timezone.now())
    except ActionRefused as refusal:
        return JsonResponse({"refused": json.loads(errors.api(request, refusal).content)["detail"]})
    return JsonResponse({"told": plan.told, "questions": plan.questions})


@member_page
@require_POST
@refusals_as_json
def flow_rollback(request: MemberRequest, flow_id: str) -> HttpResponse:
    """Make an earlier version of the flow's Core live again: `{"version": n}`."""
    flow = own_flow(request.user, flow_id)
    actor = admin_of(request)
    core = get_object_or_404(Core, flow=flow)
    version = actions.rollback(core, version=_wanted(request), actor=actor, at=timezone.now())
    message = f"Rolled back to Core version {version.number}, made from flow version {version.flow_version}"
    return JsonResponse({"message": message, "version": version.number})


def _wanted(request: MemberRequest) -> int:
    try:
        version = json.loads(request.body)["version"]
    except (ValueError, KeyError, TypeError):
        version = None
    if not isinstance(version, int) or isinstance(version, bool):
        raise Invalid("The request names no version.", [Problem("version", "Send the number of a Core version.")])
    return version


def _standing(flow: Flow, saved: FlowVersion, actor: Actor) -> dict[str, Any]:
    where = deploy_state.find_state(flow, saved.version)
    wanted = scaicore.properties(documents.shown(flow, saved))
    core, publication = where.core, where.publication
    may_change = actor.manages(flow.tenant_id)
    return {
        "saved": where.saved,
        "live": where.live,
        "core_id": core.pk if core else None,
        "core_version": core.live.number if core and core.live else None,
        "is_behind": where.is_behind,
        "has_drifted": where.has_drifted(saved.content),
        "disagreement": find_disagreement(core, saved.content) if may_change else None,
        "held": where.hold.reason if where.hold and may_change else None,
        "published_slug": publication.name if publication else None,
        "visibility": publication.visibility if publication else None,
        "group_ids": publication.group_ids if publication and may_change else [],
        "audience": registry.audience(publication).count() if publication and may_change else None,
        "lost_groups": deploy_state.lost_groups(flow, wanted) if may_change else [],
    }
