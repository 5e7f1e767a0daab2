"""Every answer carries the id under which the log speaks of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import structlog
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from identity import ids
from identity.audit import origin

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


@sync_and_async_middleware
def stamp(get_response: Callable[[HttpRequest], Answer]) -> Callable[[HttpRequest], Answer]:
    """Give the request a `req_…` id, bind it to log lines and audit entries, and send it back as `x-request-id`."""
    if iscoroutinefunction(get_response):

        async def awaiting(request: HttpRequest) -> HttpResponseBase:
            return _sent(request, await cast("Awaitable[HttpResponseBase]", get_response(_received(request))))

        return awaiting

    def calling(request: HttpRequest) -> HttpResponseBase:
        return _sent(request, cast("HttpResponseBase", get_response(_received(request))))

    return calling


def _received(request: HttpRequest) -> HttpRequest:
    request_id = ids.new("req")
    request.request_id = request_id  # type: ignore[attr-defined]  # set here, read by the views
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    origin.current.set(origin.RequestOrigin(request_id, request.META.get("REMOTE_ADDR") or ""))
    return request


def _sent(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    origin.current.set(origin.NOWHERE)
    response.headers.setdefault("x-request-id", request.request_id)  # type: ignore[attr-defined]
    return response
