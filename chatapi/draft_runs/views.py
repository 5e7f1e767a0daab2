"""`POST /api/v1/flows/{flow_id}/run`."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from rest_framework.request import Request

from chatapi import responses
from chatapi.draft_runs import answers, drafts
from chatapi.draft_runs.drafts import Draft
from chatapi.draft_runs.serializers import DraftAnswerSerializer, RunBodySerializer
from chatapi.errors import ChatError
from chatapi.views import http_response
from identity.models import LiveKey
from publishing.api import errors
from publishing.api.flows import FlowView
from publishing.api.openapi import in_api

REPAIR = "Do what the message says, then run again."


class FlowRunView(FlowView):
    """Trying one flow."""

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """What DRF does, with its questions to the database in a thread and the run on the event loop."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            await sync_to_async(self.initial)(self.request, *args, **kwargs)
            if self.request.method != "POST":
                self.http_method_not_allowed(self.request, *args, **kwargs)
            answer: HttpResponseBase = await self.post(self.request, *args, **kwargs)
        except Exception as error:
            answer = self.handle_exception(error)
        return self.finalize_response(self.request, answer, *args, **kwargs)  # type: ignore[arg-type]

    @in_api("run_flow", data=DraftAnswerSerializer, body=RunBodySerializer, errors=[400, 403, 404, 422, 429])
    async def post(self, request: Request, flow_id: str) -> HttpResponseBase:
        """Run the saved document or an unsaved one without keeping anything, as the caller, counted as a test."""
        draft = await sync_to_async(self._read)(flow_id)
        authorization = request.headers.get("authorization")
        return http_response(await answers.answer(draft, authorization, errors.request_id(request._request)))

    def refuse(self, error: Exception) -> HttpResponse:
        """`error` in the envelope of `/api/v1`, those of the chat included."""
        if not isinstance(error, ChatError):
            return super().refuse(error)
        refusal = responses.refusal_for(error, errors.request_id(self.request._request))
        shown: dict[str, Any] = {"error": refusal.code, "message": refusal.message, "fix": REPAIR}
        if refusal.param:
            shown["details"] = [{"field": refusal.param, "message": refusal.message}]
        return JsonResponse({"detail": shown}, status=refusal.status, headers=dict(refusal.headers))

    def _read(self, flow_id: str) -> Draft:
        given, flow = self.fields(RunBodySerializer), self.flow(flow_id)
        self.actor.must_manage(flow.tenant_id)
        return drafts.read(flow, given, user_id=self.user.pk, key_id=key_id_of(self.request))


def key_id_of(request: Request) -> str:
    """The id of the key that was sent; empty for a page's session."""
    return request.auth.key.pk if isinstance(request.auth, LiveKey) else ""
