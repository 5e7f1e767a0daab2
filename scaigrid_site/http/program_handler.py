"""Django's way for programs: the calls under `/v1`, `/oai/v1`, `/hooks` and `/mcp`, without what only pages need.

Django's own handler goes through every middleware for every request, most of them in a thread of their own, and tells
of each request by signals that go there too, which costs a call many times what it takes itself. These views are
asynchronous, open by key or signature, and ask the database by a pool of their own.
"""

from __future__ import annotations

import io
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpResponseBase
from django.utils.module_loading import import_string

from chatapi.asgi import CallerLeft, read_body
from chatapi.asgi_types import App, Receive, Scope, Send
from chatapi.caller_watch import CallerWatch

# What else is under /v1/modules belongs to the control plane, whose views go through Django's ORM.
CALLS: Final = re.compile(
    r"/(?:oai/)?v1(?!/modules/)(?:/|$)|/v1/modules/scaicore/cores/[^/]+/invoke/?$|/hooks(?:/|$)|/mcp/?$"
)


class ProgramHandler(ASGIHandler):
    """Serves what `is_call` names: no thread, no signal, and the middleware in `settings.PROGRAM_MIDDLEWARE`."""

    def load_middleware(self, is_async: bool = True) -> None:
        """Wrap the views' way in `PROGRAM_MIDDLEWARE`, the last one innermost, as Django does it with its own."""
        hooks: Any = self  # the stubs know nothing of what Django's own `load_middleware` sets
        hooks._view_middleware, hooks._template_response_middleware, hooks._exception_middleware = [], [], []
        handler = convert_exception_to_response(hooks._get_response_async)
        for name in reversed(settings.PROGRAM_MIDDLEWARE):
            handler = convert_exception_to_response(import_string(name)(handler))
        self._middleware_chain = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        """Serve one request; a caller who leaves ends the work on it."""
        try:
            body = await read_body(receive)
        except CallerLeft:
            return
        request, refusal = self.create_request(cast("dict[str, Any]", scope), io.BytesIO(body))
        async with CallerWatch(receive) as watch:
            response = await self._answer(request) if request is not None else cast("HttpResponseBase", refusal)
            if response.streaming:
                watch.begin()
            await self.send_response(response, cast("Any", send))

    async def _answer(self, request: ASGIRequest) -> HttpResponseBase:
        response = await cast("Callable[[ASGIRequest], Awaitable[HttpResponseBase]]", self._middleware_chain)(request)
        if not response.streaming and not response.has_header("Content-Length"):
            response.headers["Content-Length"] = str(len(cast("Any", response).content))
        return response


class ByAudience:
    """An ASGI application that hands calls of programs to `programs` and everything else to `pages`."""

    def __init__(self, programs: App, pages: App) -> None:
        self._programs = programs
        self._pages = pages

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection event."""
        return (self._programs if is_call(scope["path"]) else self._pages)(scope, receive, send)


def is_call(path: str) -> bool:
    """Whether a program calls by this URL: a model, a Core, a webhook, or the list of what may be called."""
    return CALLS.match(path) is not None
