"""`/api/v1/runs`: every run that was counted, for its caller and the tenant's admin."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from chatapi.run_history import records
from chatapi.run_history.serializers import RecordedRunSerializer, RunSearchSerializer, TracedRunSerializer
from chatapi.trace_api import shown_nodes
from publishing.api.base import ApiView
from publishing.api.fields import moment_of
from publishing.api.openapi import cursor_list, in_api


class RecordedRunListView(ApiView):
    """The runs of a tenant, or of one of its users."""

    @in_api(
        "search_runs",
        data=cursor_list("RecordedRuns", RecordedRunSerializer),
        query=RunSearchSerializer,
        errors=[403, 422],
        tag="runs",
    )
    def get(self, request: Request) -> Response:
        """List the runs, the newest first; every condition that is sent must hold."""
        asked = self.query(RunSearchSerializer)
        rows = records.search(records.seen_by(self.actor, self.user), self.user.tenant_id, asked)
        return self.paged(rows, asked["limit"], show=lambda run: RecordedRunSerializer(run).data, key=moment_of)


class RecordedRunDetailView(ApiView):
    """One run."""

    @in_api("find_run", data=TracedRunSerializer, errors=[403, 404], tag="runs")
    def get(self, request: Request, request_id: str) -> Response:
        """Read how a run ended and, where its flow keeps traces, what its nodes did."""
        run = records.find(self.actor, self.user, request_id)
        trace = records.find_trace(run)
        shown = RecordedRunSerializer(run).data | {
            "nodes": shown_nodes(trace, self.actor) if trace else None,
            "input": trace.input if trace else None,
        }
        return Response(shown)
