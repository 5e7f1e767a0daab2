"""The DRF view of `/mcp`: it reads bytes, calls a function that knows no web framework, and sends what comes back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from chatapi import views
from chatapi.errors import ChatError, OriginRefused
from chatapi.mcp import messages, server
from chatapi.responses import Whole


class McpView(views.AsyncAPIView):
    """`POST /mcp`. Nothing is kept between two requests, so there is no stream to open and no session to end."""

    http_method_names = ["post"]

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """Refuse pages of other sites before anything else: a name of theirs may lead to this machine."""
        if not _is_known(request.headers.get("origin")):
            self.request = self.initialize_request(request, *args, **kwargs)
            return views.http_response(self.refused(OriginRefused()))
        return await super().dispatch(request, *args, **kwargs)

    @extend_schema(exclude=True)  # JSON-RPC, which OpenAPI has no words for
    async def post(self, request: Request) -> HttpResponseBase:
        """List the models that the key may call as tools, and call them."""
        authorization = request.headers.get("authorization")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = views.read_body(request, headers)
        except ChatError as error:
            return views.http_response(await server.refuse(authorization, error, request_id=self.request_id))
        return views.http_response(await server.answer(authorization, headers, body, request_id=self.request_id))

    def refused(self, error: ChatError) -> Whole:
        """As JSON-RPC."""
        return messages.render_failure(error, None, self.request_id)


def _is_known(origin: str | None) -> bool:
    return origin is None or origin in (settings.PUBLIC_URL, *settings.CORS_ALLOWED_ORIGINS)
