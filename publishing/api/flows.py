"""`/api/v1/flows`: flows, their versions, saving and deploying them."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from identity.errors import Invalid, NotFound, Problem
from publishing import actions, deploy_state, documents
from publishing.actions import UNCHANGED
from publishing.api import flow_serializers
from publishing.api.base import ApiView
from publishing.api.fields import OffsetPageSerializer
from publishing.api.flow_serializers import (
    DeployBodySerializer,
    DeployedVersionSerializer,
    DeploymentSerializer,
    DocumentSerializer,
    FlowChangeSerializer,
    FlowSerializer,
    FlowSummarySerializer,
    FlowVersionSerializer,
    FlowVersionSummarySerializer,
    ManifestSerializer,
    NewFlowSerializer,
    ValidationSerializer,
    VersionLabelSerializer,
)
from publishing.api.openapi import counted_list, in_api
from publishing.errors import BaseVersionMissing, DoesNotCompile, FlowNotFound, MemoryAtStake
from publishing.models import CoreVersion, Flow, FlowVersion
from scaicore.compiler import manifest


class FlowView(ApiView):
    """A URL of one flow."""

    def flow(self, flow_id: str) -> Flow:
        """The flow of the caller's tenant with this id; another tenant's reads like none."""
        flow = Flow.objects.select_related("tenant").filter(tenant=self.user.tenant_id, pk=flow_id).first()
        if flow is None:
            raise FlowNotFound
        return flow

    def shown(self, flow: Flow, status: int = 200) -> Response:
        """The flow with its saved document; the ETag is what `If-Match` takes."""
        saved = flow.saved
        shown = {**FlowSummarySerializer(saved).data, "content": flow_serializers.document(saved, self.actor)}
        return Response(shown, status, headers={"ETag": f'"{saved.version}"'})


class FlowListView(FlowView):
    """The tenant's flows."""

    @in_api("list_flows", data=counted_list("Flows", FlowSummarySerializer), query=OffsetPageSerializer, errors=[422])
    def get(self, request: Request) -> Response:
        """List the flows of the tenant by name."""
        newer = FlowVersion.objects.filter(flow=OuterRef("flow"), number__gt=OuterRef("number"))
        newest = FlowVersion.objects.filter(~Exists(newer), flow__tenant=self.user.tenant_id)
        rows = newest.select_related("flow").defer("content").order_by("flow__name", "flow")
        return self.listed(rows, lambda saved: FlowSummarySerializer(saved).data)

    @in_api("create_flow", data=FlowSerializer, body=NewFlowSerializer, status=201, errors=[400, 403, 422])
    def post(self, request: Request) -> Response:
        """Make a flow from a document."""
        given = self.fields(NewFlowSerializer)
        flow = actions.create_flow(
            tenant=self.user.tenant,
            name=given["name"],
            description=given.get("description", UNCHANGED),
            content=given["content"],
            owner=self.user,
            actor=self.actor,
            at=timezone.now(),
        )
        return self.shown(flow, 201)


class FlowDetailView(FlowView):
    """One flow."""

    @in_api("read_flow", data=FlowSerializer, errors=[404])
    def get(self, request: Request, flow_id: str) -> Response:
        """Read a flow with its saved document."""
        return self.shown(self.flow(flow_id))

    @in_api("save_flow", data=FlowSerializer, body=FlowChangeSerializer, errors=[400, 403, 404, 409, 422, 428])
    def put(self, request: Request, flow_id: str) -> Response:
        """Save a flow. A save that is based on an older version is refused and changes nothing."""
        given = self.fields(FlowChangeSerializer)
        flow = self.flow(flow_id)
        self.actor.must_manage(flow.tenant_id)
        base_version = _base_version(request, given)
        # Answered under the lock, so that the answer shows this save and not one that came right after it.
        with transaction.atomic():
            saved = actions.save_flow(
                flow,
                base_version=base_version,
                name=given.get("name", UNCHANGED),
                description=given.get("description", UNCHANGED),
                content=given.get("content", UNCHANGED),
                actor=self.actor,
                at=timezone.now(),
            )
            return self.shown(saved)

    @in_api("delete_flow", status=204, errors=[403, 404, 409])
    def delete(self, request: Request, flow_id: str) -> Response:
        """Delete a flow with its versions and its Core; refused while the Core is published or held by staff."""
        actions.delete_flow(self.flow(flow_id), actor=self.actor, at=timezone.now())
        return Response(status=204)


class FlowVersionListView(FlowView):
    """The saves of one flow."""

    @in_api(
        "list_flow_versions",
        data=counted_list("FlowVersions", FlowVersionSummarySerializer),
        query=OffsetPageSerializer,
        errors=[404, 422],
    )
    def get(self, request: Request, flow_id: str) -> Response:
        """List the saves, the newest first."""
        versions = self.flow(flow_id).versions.select_related("label").defer("content").order_by("-number")
        return self.listed(versions, lambda saved: FlowVersionSummarySerializer(saved).data)


class FlowVersionDetailView(FlowView):
    """One save of a flow."""

    @in_api("read_flow_version", data=FlowVersionSerializer, errors=[404])
    def get(self, request: Request, flow_id: str, version: str) -> Response:
        """Read the document of an earlier save."""
        saved = self.version(flow_id, version)
        content = flow_serializers.document(saved, self.actor)
        return Response({**FlowVersionSummarySerializer(saved).data, "content": content})

    @in_api(
        "label_flow_version",
        data=FlowVersionSummarySerializer,
        body=VersionLabelSerializer,
        errors=[400, 403, 404, 422],
    )
    def put(self, request: Request, flow_id: str, version: str) -> Response:
        """Give an earlier save a name and a note."""
        given = self.fields(VersionLabelSerializer)
        saved = self.version(flow_id, version)
        saved.label = actions.label_version(saved, **given, actor=self.actor, at=timezone.now())
        return Response(FlowVersionSummarySerializer(saved).data)

    def version(self, flow_id: str, version: str) -> FlowVersion:
        """This save of the flow."""
        found = self.flow(flow_id).versions.select_related("label").filter(version=version).first()
        if found is None:
            raise NotFound("The flow has no such version.")
        return found


class FlowDeployView(FlowView):
    """Deploying one flow."""

    @in_api("deploy_flow", data=DeploymentSerializer, body=DeployBodySerializer, errors=[400, 403, 404, 409, 422])
    def post(self, request: Request, flow_id: str) -> Response:
        """Make the saved version live, and publish or un-publish it as its document says."""
        given, flow = self.fields(DeployBodySerializer), self.flow(flow_id)
        if not given["accept_memory_change"]:
            _must_keep_memory(flow)
        tested = self.test(flow)
        chosen = {"expected": given.get("base_version", tested), "slug": given.get("slug", "")}
        done = actions.deploy(flow, **chosen, actor=self.actor, at=timezone.now())
        return Response(DeploymentSerializer(done).data)

    def test(self, flow: Flow) -> str | None:
        """Refuse where the flow's tests stand before its deploy and fail; the version that they were run on. Nothing
        runs on this floor: `chatapi.flow_tests` serves the URL."""
        return None


class FlowDeploymentListView(FlowView):
    """The deploys of one flow."""

    @in_api(
        "list_deployments",
        data=counted_list("Deployments", DeployedVersionSerializer),
        query=OffsetPageSerializer,
        errors=[404, 422],
    )
    def get(self, request: Request, flow_id: str) -> Response:
        """List the deploys, the newest first."""
        versions = CoreVersion.objects.filter(core__flow=self.flow(flow_id)).select_related("core").order_by("-number")
        return self.listed(versions, lambda version: DeployedVersionSerializer(version).data)


class FlowValidateView(ApiView):
    """Looking at a document without keeping it."""

    @in_api("validate_flow", data=ValidationSerializer, body=DocumentSerializer, errors=[400, 422])
    def post(self, request: Request) -> Response:
        """Say what the compiler finds in a document."""
        content = documents.clean_content(self.fields(DocumentSerializer)["content"])
        result = actions.compile_document(content, tenant=self.user.tenant_id)
        program = result.program
        return Response(
            {
                "valid": program is not None,
                "diagnostics": _as_data(result.diagnostics),
                "capabilities": list(program.capabilities) if program else [],
            }
        )


class FlowCompileView(ApiView):
    """Compiling a document without keeping it."""

    @in_api("compile_flow", data=ManifestSerializer, body=DocumentSerializer, errors=[400, 422])
    def post(self, request: Request) -> Response | HttpResponse:
        """Compile a document to its YAML manifest; with `?format=yaml` the answer is the YAML itself."""
        content = documents.clean_content(self.fields(DocumentSerializer)["content"])
        result = actions.compile_document(content, tenant=self.user.tenant_id)
        if result.program is None:
            raise DoesNotCompile(result.diagnostics)
        rendered = manifest.render(result.program)
        if request.query_params.get("format") == "yaml":
            return HttpResponse(rendered, content_type="application/yaml")
        return Response({"manifest": rendered, "diagnostics": _as_data(result.diagnostics)})


def _must_keep_memory(flow: Flow) -> None:
    """Ask first when the saved version would not read all that the live one remembers."""
    try:
        saved = flow.saved
    except FlowVersion.DoesNotExist:  # deleted since it was found
        raise FlowNotFound from None
    lost = deploy_state.find_state(flow, saved.version).count_forgotten(saved.content)
    if lost:
        raise MemoryAtStake(lost)


def _as_data(diagnostics: Any) -> Any:
    return msgspec.to_builtins(diagnostics)


def _base_version(request: Request, given: dict[str, Any]) -> str:
    """The version that a save is based on: from the body, or from `If-Match` in any spelling but `*`."""
    matched = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    named = given.get("base_version", matched)
    if not named or named == "*":
        raise BaseVersionMissing
    if matched and matched != named:
        raise Invalid(
            "The save names two versions.", [Problem("base_version", "Send what `If-Match` says, or leave one out.")]
        )
    return str(named)
