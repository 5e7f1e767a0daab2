"""What the canvas asks for besides the API: to save, what is live, what a deploy would change, to deploy once tests
have passed, and to roll back, which `/v1` opens to keys only."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from rest_framework import serializers

from chatapi.flow_tests import gate
from identity.actors import actor_of
from identity.errors import ActionRefused, Invalid
from publishing import actions, deploy_plan, strict_json
from publishing.api import errors
from publishing.api.core_serializers import RollbackSerializer
from publishing.api.fields import FlowDocumentField, PlainCharField
from publishing.api.flow_serializers import DeployBodySerializer
from publishing.errors import FlowTestsFailed, StaleSave
from publishing.models import Core
from webui import flow_saves
from webui.decorators import MemberRequest, admin_of, member_page
from webui.editor_data import saved_data, state_data
from webui.flow_context import own_flow
from webui.flow_saves import Base

Given = ParamSpec("Given")
Answer = Callable[Concatenate[MemberRequest, Given], HttpResponse]
REFUSALS = (ActionRefused, serializers.ValidationError, strict_json.InvalidJson)


class CanvasSaveSerializer(serializers.Serializer[Any]):
    """A save of the canvas: what differs from what its page showed, which `base_version` and `base_time` name."""

    base_version = PlainCharField()
    base_time = serializers.DateTimeField()
    name = PlainCharField(required=False, allow_blank=True)
    description = PlainCharField(required=False, allow_blank=True)
    content = FlowDocumentField(required=False)


def refusals_as_json(view: Answer[Given]) -> Answer[Given]:
    """Answer a refusal as `/api/v1` does."""

    @wraps(view)
    def answered(request: MemberRequest, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except REFUSALS as refusal:
            return errors.api(request, refusal)

    return answered


@member_page
@require_POST
@refusals_as_json
def save_flow(request: MemberRequest, flow_id: str) -> HttpResponse:
    """Save the canvas, and give what is saved now: with a `message`, or without one when somebody saved meanwhile.

    A save that is `refused` is answered by 200 as well: it is an outcome that the editor shows, and browsers write
    anything else into their console as an error of the page.
    """
    flow, actor = own_flow(request.user, flow_id), admin_of(request)
    changes = _fields(request, CanvasSaveSerializer)
    base = Base(changes.pop("base_version"), changes.pop("base_time"))
    try:
        # Answered under the lock, so that the answer tells of this save and not of one that came right behind it.
        with transaction.atomic():
            message = flow_saves.save(flow, changes, base=base, actor=actor, at=timezone.now())
            return _saved_now(request, flow_id, message)
    except StaleSave:
        return _saved_now(request, flow_id)
    except Invalid as refusal:
        return _refused(request, refusal, "What you typed is still here. Correct it and save again.")


@member_page
@require_GET
def flow_state(request: MemberRequest, flow_id: str) -> HttpResponse:
    """What of the flow is live, and who may call it."""
    return JsonResponse(state_data(own_flow(request.user, flow_id), actor_of(request.user)))


@member_page
@require_POST
def flow_plan(request: MemberRequest, flow_id: str) -> HttpResponse:
    """What a deploy of the saved version would change or be refused for."""
    flow, actor = own_flow(request.user, flow_id), admin_of(request)
    try:
        plan = deploy_plan.plan_deploy(flow, actor=actor, at=timezone.now())
    except ActionRefused as refusal:
        return _refused(request, refusal, "What is live stays as it is. Correct the flow, save, and deploy again.")
    return JsonResponse({"summary": plan.summary, "questions": plan.questions})


@member_page
@require_POST
@refusals_as_json
def deploy_flow(request: MemberRequest, flow_id: str) -> HttpResponse:
    """Deploy the version that `base_version` names, once its tests have passed where the flow says so. Tests that fail
    are answered by 200 as well, like a save that is refused. The plan has asked about memory before."""
    flow, actor = own_flow(request.user, flow_id), admin_of(request)
    given = _fields(request, DeployBodySerializer)
    try:
        gate.must_pass(flow, user_id=request.user.pk, key_id="")
    except FlowTestsFailed as refusal:
        return _refused(request, refusal, "")
    done = actions.deploy(flow, actor=actor, at=timezone.now(), expected=given.get("base_version"))
    return JsonResponse({"message": done.message})


@member_page
@require_POST
@refusals_as_json
def roll_back_flow(request: MemberRequest, flow_id: str) -> HttpResponse:
    """Make an earlier version of the flow's Core live again: `{"version": n}` tells what that would do, and with
    `accept_memory_change` it is done."""
    flow, actor = own_flow(request.user, flow_id), admin_of(request)
    core = get_object_or_404(Core, flow=flow)
    given = _fields(request, RollbackSerializer)
    wanted = core.versions.filter(number=given["version"]).first()
    if wanted and not given["accept_memory_change"]:
        return JsonResponse({"questions": deploy_plan.foresee_rollback(core, wanted)})
    version = actions.rollback(core, version=given["version"], actor=actor, at=timezone.now())
    message = f"Rolled back to Core version {version.number}, made from flow version {version.flow_version}"
    return JsonResponse({"message": message, "version": version.number})


def _fields(request: MemberRequest, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The fields of `shape` in the body."""
    given = shape(data=strict_json.loads(request.body))
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _saved_now(request: MemberRequest, flow_id: str, message: str = "") -> HttpResponse:
    flow, actor = own_flow(request.user, flow_id), actor_of(request.user)
    return JsonResponse({"message": message, "saved": saved_data(flow, actor), "state": state_data(flow, actor)})


def _refused(request: MemberRequest, refusal: Exception, advice: str) -> HttpResponse:
    """A refusal that is the answer to what was asked; `advice` says on the page how to correct what is invalid."""
    detail = json.loads(errors.api(request, refusal).content)["detail"]
    return JsonResponse({"refused": detail | {"fix": advice} if isinstance(refusal, Invalid) else detail})
