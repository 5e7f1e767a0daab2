"""The DRF views of `/v1/responses`: each reads bytes, calls a function that knows no web framework, and sends what
comes back."""

from __future__ import annotations

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from chatapi import completions, views
from chatapi.errors import ChatError
from chatapi.responses_api import openapi, resources
from chatapi.responses_api.adapter import ResponsesAdapter


class ResponsesView(views.AsyncAPIView):
    """`POST /v1/responses`."""

    @extend_schema(**openapi.CREATE)
    async def post(self, request: Request) -> HttpResponseBase:
        """Call a published Core by OpenAI's Responses API, whole or streamed."""
        authorization = request.headers.get("authorization")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = views.read_body(request, headers)
        except ChatError as error:
            return views.http_response(await completions.refuse(authorization, error, request_id=self.request_id))
        answer = await completions.answer(
            authorization, headers, body, request_id=self.request_id, adapter=ResponsesAdapter()
        )
        return views.http_response(answer)


class ResponseView(views.StoredView):
    """`GET` and `DELETE /v1/responses/{response_id}`."""

    @extend_schema(**openapi.READ)
    async def get(self, request: Request, response_id: str) -> HttpResponseBase:
        """A response that the user has stored."""
        authorization = request.headers.get("authorization")
        return await self.answered(resources.read(authorization, response_id, request.query_params))

    @extend_schema(**openapi.DELETE)
    async def delete(self, request: Request, response_id: str) -> HttpResponseBase:
        """Remove a stored response."""
        return await self.answered(resources.delete(request.headers.get("authorization"), response_id))


class ResponseCancelView(views.StoredView):
    """`POST /v1/responses/{response_id}/cancel`."""

    @extend_schema(**openapi.CANCEL)
    async def post(self, request: Request, response_id: str) -> HttpResponseBase:
        """Always refused: no response is made in the background."""
        return await self.answered(resources.cancel(request.headers.get("authorization"), response_id))


class InputItemsView(views.StoredView):
    """`GET /v1/responses/{response_id}/input_items`."""

    @extend_schema(**openapi.INPUT_ITEMS)
    async def get(self, request: Request, response_id: str) -> HttpResponseBase:
        """The items of a stored response's own request."""
        authorization = request.headers.get("authorization")
        return await self.answered(resources.list_input(authorization, response_id, request.query_params))
