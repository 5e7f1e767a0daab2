"""`/v1/modules/scaicore/cores/{id}/runs`: the traces of runs, for their caller and the tenant's admin."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from chatapi.models import RunTrace
from identity.actors import Actor
from identity.errors import NotFound
from publishing.api.cores import CoreView
from publishing.api.fields import CursorPageSerializer, read_number
from publishing.api.openapi import cursor_list, in_module
from publishing.api.policies import KeyMayReadRuns


class RunSummarySerializer(serializers.Serializer[RunTrace]):
    """A traced run, without its nodes."""

    request_id = serializers.CharField()
    at = serializers.DateTimeField()
    user_id = serializers.CharField()
    core_version = serializers.IntegerField()
    outcome = serializers.CharField(help_text="`ok`, `failed`, `timed_out` or `cancelled`")
    duration_ms = serializers.IntegerField()


class NodeTraceSerializer(serializers.Serializer[Any]):
    """What one node did."""

    id = serializers.CharField()
    kind = serializers.CharField()
    started_ms = serializers.FloatField(help_text="Milliseconds after the run's start.")
    duration_ms = serializers.FloatField(required=False, allow_null=True)
    input = serializers.JSONField(required=False, help_text="What it read by name, cut to 4 KiB of JSON.")
    result = serializers.JSONField(required=False, help_text="Cut to 4 KiB of JSON.")
    prompt_tokens = serializers.IntegerField(required=False, help_text="What models reported to it.")
    completion_tokens = serializers.IntegerField(required=False)
    error = serializers.CharField(required=False)
    call = serializers.CharField(required=False, help_text="Of a tool that a model called: the id of the call.")
    arguments = serializers.JSONField(required=False, help_text="Of such a call, cut as the result is.")
    warnings = serializers.ListField(child=serializers.CharField(), required=False)
    provider_errors = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="For admins alone: what model servers said that did not answer, shortened, without secrets.",
    )


class RunSerializer(RunSummarySerializer):
    """A traced run."""

    nodes = NodeTraceSerializer(many=True)


class TraceView(CoreView):
    """A URL of one Core's traces. Somebody else's run reads like none."""

    permission_classes = (IsAuthenticated, KeyMayReadRuns)

    def traces(self, core_id: str) -> QuerySet[RunTrace]:
        """The traces that the caller may see: all for an admin, their own for others."""
        core = self.core(core_id)
        kept = RunTrace.objects.filter(core_id=core.pk, tenant_id=core.tenant_id)
        return kept if self.actor.manages(core.tenant_id) else kept.filter(user_id=self.user.pk)


class RunListView(TraceView):
    """The traced runs of a Core."""

    @in_module(
        "list_runs", data=cursor_list("Runs", RunSummarySerializer), query=CursorPageSerializer, errors=[404, 422]
    )
    def get(self, request: Request, core_id: str) -> Response:
        """List the traced runs, the newest first."""
        page = self.query(CursorPageSerializer)
        rows = self.traces(core_id).defer("nodes").order_by("-pk")
        if "cursor" in page:
            rows = rows.filter(pk__lt=read_number(page["cursor"]))
        return self.paged(rows, page["limit"], show=lambda row: RunSummarySerializer(row).data, key=lambda row: row.pk)


class RunDetailView(TraceView):
    """One traced run."""

    @in_module("read_run", data=RunSerializer, errors=[404])
    def get(self, request: Request, core_id: str, request_id: str) -> Response:
        """Read what the nodes of a run did; `request_id` is the answer's `x-request-id`."""
        trace = self.traces(core_id).filter(request_id=request_id).first()
        if trace is None:
            raise NotFound("No trace is kept of this run.")
        trace.nodes = shown_nodes(trace, self.actor)
        return self.ok(RunSerializer(trace).data)


def shown_nodes(trace: RunTrace, actor: Actor) -> list[dict[str, Any]]:
    """What the nodes of a run did, as far as `actor` may see it: what model servers said is for admins."""
    if actor.manages(trace.tenant_id):
        return list(trace.nodes)
    return [{name: value for name, value in node.items() if name != "provider_errors"} for node in trace.nodes]
