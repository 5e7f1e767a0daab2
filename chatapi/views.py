"""The DRF views of `/v1`: each reads bytes, calls a function that knows no web framework, and sends what comes back.

DRF's policies apply, its negotiation does not: clients send every kind of `Accept` and always get the same answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from chatapi import call_headers, completions, invocations, model_list, openapi, responses, webhooks
from chatapi.errors import SERVED, BodyTooLarge, ChatError, MethodNotAllowed, UrlUnknown
from chatapi.responses import Frames, Whole
from chatapi.stored_completions import openapi as stored_openapi
from chatapi.stored_completions import resources as stored_resources
from publishing.api.errors import request_id
from publishing.api.openapi import in_module

# Endpoints of OpenAI that people look for here: the beginning of a sentence about each.
NOT_SERVED: Final = {
    "audio": "Speech is",
    "completions": "Completions of a prompt are",
    "embeddings": "Embeddings are",
    "files": "Files are",
    "images": "The making of images is",
    "moderations": "Moderations are",
}


class AsyncAPIView(APIView):
    """DRF's view with an async way through it; the key is checked further inside, together with the model."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """What `APIView.dispatch` does, awaiting the handler."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        name = (request.method or "").lower()
        handler = getattr(self, name, None) if name in self.http_method_names and name != "options" else None
        if handler is None:
            return http_response(self.refused(MethodNotAllowed()), {"allow": ", ".join(self._allowed())})
        self.check_permissions(self.request)
        self.check_throttles(self.request)
        answer: HttpResponseBase = await handler(self.request, *args, **kwargs)
        return answer

    def refused(self, error: ChatError) -> Whole:
        """The answer to a request that is refused before anybody looked at its key."""
        return responses.render_refusal(error, self.request_id)

    @property
    def request_id(self) -> str:
        """The id of this request in the answer and in the log."""
        return request_id(self.request._request)

    def _allowed(self) -> list[str]:
        return [name.upper() for name in self.http_method_names if name != "options" and hasattr(self, name)]


class StoredView(AsyncAPIView):
    """A view of what a user has stored."""

    async def answered(self, work: Awaitable[dict[str, Any]]) -> HttpResponseBase:
        """What the work gives, or its refusal."""
        try:
            value = await work
        except Exception as error:
            return http_response(responses.render_refusal(error, self.request_id))
        return http_response(responses.render_json(value, self.request_id))


class CompletionsView(StoredView):
    """`POST /v1/chat/completions`, and `GET` for those that were stored."""

    @extend_schema(**stored_openapi.LIST)
    async def get(self, request: Request) -> HttpResponseBase:
        """List the completions that the user has stored."""
        authorization = request.headers.get("authorization")
        return await self.answered(stored_resources.list_all(authorization, request.query_params))

    @extend_schema(**openapi.COMPLETIONS)
    async def post(self, request: Request) -> HttpResponseBase:
        """Call a published Core as a chat model, whole or streamed."""
        authorization = request.headers.get("authorization")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = read_body(request, headers)
        except ChatError as error:
            return http_response(await completions.refuse(authorization, error, request_id=self.request_id))
        return http_response(await completions.answer(authorization, headers, body, request_id=self.request_id))


class ModelListView(AsyncAPIView):
    """`GET /v1/models`."""

    @extend_schema(**openapi.MODELS)
    async def get(self, request: Request) -> HttpResponseBase:
        """List the models that the key may call."""
        authorization = request.headers.get("authorization")
        return http_response(await model_list.list_models(authorization, request_id=self.request_id))


class ModelView(AsyncAPIView):
    """`GET /v1/models/{id}`, the id's slashes raw or percent-encoded."""

    @extend_schema(**openapi.MODEL)
    async def get(self, request: Request, name: str) -> HttpResponseBase:
        """One model that the key may call."""
        authorization = request.headers.get("authorization")
        return http_response(await model_list.retrieve(authorization, name, request_id=self.request_id))


class InvokeView(AsyncAPIView):
    """`POST /v1/modules/scaicore/cores/{core_id}/invoke`."""

    @in_module(
        "invoke_core",
        data=openapi.InvocationAnswerSerializer,
        body=openapi.InvocationBodySerializer,
        errors=[400, *openapi.CALL_REFUSED],
        auth=openapi.BEARER,
    )
    async def post(self, request: Request, core_id: str) -> HttpResponseBase:
        """Call a published Core with an input of your own; who may is decided as for the chat."""
        authorization = request.headers.get("authorization")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = read_body(request, headers)
        except ChatError as error:
            return http_response(await invocations.refuse(authorization, error, request_id=self.request_id))
        return http_response(
            await invocations.answer(authorization, core_id, headers, body, request_id=self.request_id)
        )

    def refused(self, error: ChatError) -> Whole:
        """In the module's envelope."""
        return responses.render_module_refusal(error, self.request_id)


class WebhookView(AsyncAPIView):
    """`POST /hooks/{tenant}/{slug}`."""

    @extend_schema(**openapi.HOOK)
    async def post(self, request: Request, tenant: str, slug: str) -> HttpResponseBase:
        """Start a Core at its webhook entry; the signature is what allows it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = read_body(request, headers)
        except ChatError as error:
            return http_response(await webhooks.refuse(tenant, slug, error, request_id=self.request_id))
        return http_response(await webhooks.answer(tenant, slug, headers, body, request_id=self.request_id))

    def refused(self, error: ChatError) -> Whole:
        """In the module's envelope."""
        return responses.render_module_refusal(error, self.request_id)


@csrf_exempt
async def unknown_hook(request: HttpRequest) -> HttpResponseBase:
    """Every other path under `/hooks`."""
    return http_response(responses.render_module_refusal(UrlUnknown(), request_id(request)))


@csrf_exempt
async def unknown_url(request: HttpRequest) -> HttpResponseBase:
    """Every other path under `/v1`."""
    endpoint = request.path.partition("v1/")[2].partition("/")[0]
    what = NOT_SERVED.get(endpoint, "This URL is")
    return http_response(responses.render_refusal(UrlUnknown(f"{what} not served. {SERVED}"), request_id(request)))


def read_body(request: Request, headers: Mapping[str, str]) -> bytes:
    """The body, once its headers say that it can be read."""
    call_headers.check(headers, limit=settings.MAX_BODY_BYTES)
    try:
        body: bytes = request._request.body
    except RequestDataTooBig:
        raise BodyTooLarge from None
    return body


def http_response(answer: Whole | Frames, more: Mapping[str, str] | None = None) -> HttpResponseBase:
    """The answer in Django's terms."""
    if isinstance(answer, Frames):
        return StreamingHttpResponse(_all_frames(answer), headers=answer.headers)
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers | dict(more or {}))


async def _all_frames(answer: Frames) -> AsyncIterator[bytes]:
    try:
        yield answer.first
        async for frame in answer.rest:
            yield frame
    finally:
        await answer.rest.aclose()
