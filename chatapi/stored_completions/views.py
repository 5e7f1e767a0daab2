"""The DRF views of stored completions, beside the one that makes and lists them."""

from __future__ import annotations

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from chatapi import completions, views
from chatapi.errors import ChatError
from chatapi.stored_completions import openapi, resources


class CompletionView(views.StoredView):
    """`GET`, `POST` and `DELETE /v1/chat/completions/{completion_id}`."""

    @extend_schema(**openapi.READ)
    async def get(self, request: Request, completion_id: str) -> HttpResponseBase:
        """A completion that the user has stored."""
        return await self.answered(resources.read(request.headers.get("authorization"), completion_id))

    @extend_schema(**openapi.LABEL)
    async def post(self, request: Request, completion_id: str) -> HttpResponseBase:
        """Replace the metadata of a stored completion."""
        authorization = request.headers.get("authorization")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = views.read_body(request, headers)
        except ChatError as error:
            return views.http_response(await completions.refuse(authorization, error, request_id=self.request_id))
        return await self.answered(resources.label(authorization, completion_id, body))

    @extend_schema(**openapi.DELETE)
    async def delete(self, request: Request, completion_id: str) -> HttpResponseBase:
        """Remove a stored completion."""
        return await self.answered(resources.delete(request.headers.get("authorization"), completion_id))


class CompletionMessagesView(views.StoredView):
    """`GET /v1/chat/completions/{completion_id}/messages`."""

    @extend_schema(**openapi.MESSAGES)
    async def get(self, request: Request, completion_id: str) -> HttpResponseBase:
        """What was asked."""
        authorization = request.headers.get("authorization")
        return await self.answered(resources.list_messages(authorization, completion_id, request.query_params))
