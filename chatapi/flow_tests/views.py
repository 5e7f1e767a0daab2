"""`POST /api/v1/flows/{flow_id}/run-tests`, and the deploy before which they may stand."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponseBase
from rest_framework.request import Request

from chatapi import responses
from chatapi.draft_runs import drafts
from chatapi.draft_runs.views import FlowRunView, key_id_of
from chatapi.flow_tests import gate, runner
from chatapi.flow_tests.runner import Bench
from chatapi.flow_tests.serializers import TestsAnswerSerializer, TestsBodySerializer
from chatapi.views import http_response
from publishing.api import errors
from publishing.api.flows import FlowDeployView
from publishing.api.openapi import in_api
from publishing.models import Flow


class FlowTestsView(FlowRunView):
    """Running the tests of one flow."""

    @in_api("run_flow_tests", data=TestsAnswerSerializer, body=TestsBodySerializer, errors=[400, 403, 404, 422])
    async def post(self, request: Request, flow_id: str) -> HttpResponseBase:
        """Run the tests of the saved document or of an unsaved one, as the caller, counted as tests."""
        given = self.fields(TestsBodySerializer)
        bench = await sync_to_async(self._bench)(flow_id, given)
        tried = await runner.run(bench, given.get("names"))
        failed = sum(not test.passed for test in tried)
        shown = {"passed": len(tried) - failed, "failed": failed, "tests": runner.as_data(tried)}
        return http_response(responses.render_json(shown, errors.request_id(request._request)))

    def _bench(self, flow_id: str, given: dict[str, Any]) -> Bench:
        flow = self.flow(flow_id)
        self.actor.must_manage(flow.tenant_id)
        who = {"user_id": self.user.pk, "key_id": key_id_of(self.request)}
        document = drafts.document_in(flow, given)
        live = drafts.load_live(flow, **who) if given["compare"] else None
        return Bench(drafts.compile_draft(flow, document, **who), gate.tests_in(document), live)


class TestedDeployView(FlowDeployView):
    """Deploying one flow, once its tests have passed where it says so."""

    def test(self, flow: Flow) -> str | None:
        """Run the tests, if they stand before the deploy."""
        self.actor.must_manage(flow.tenant_id)
        return gate.must_pass(flow, user_id=self.user.pk, key_id=key_id_of(self.request))
