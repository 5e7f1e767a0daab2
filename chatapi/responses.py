"""What goes back to a caller: an answer in one piece or as a stream, and refusals in the envelope of either API."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any, NamedTuple

from chatapi import chat_response
from chatapi.errors import ChatError, DatabaseUnavailable, Unexpected
from publishing.db import outages
from publishing.process import metrics

log = logging.getLogger(__name__)

Headers = dict[str, str]

JSON: Headers = {"content-type": "application/json"}
STREAM: Headers = {"content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no"}


class Whole(NamedTuple):
    """An answer in one piece."""

    status: int
    headers: Headers
    body: bytes


class Frames(NamedTuple):
    """An answer as server-sent events, already begun: its status is decided, so it is always 200.

    Whoever sends it sends `first`, then the rest, and closes `rest` whatever happens: that ends the run of a caller
    who left.
    """

    headers: Headers
    first: bytes
    rest: AsyncGenerator[bytes]


def render_json(value: Any, request_id: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Whole:
    """An answer of plain JSON data."""
    return Whole(status, JSON | dict(headers or {}) | {"x-request-id": request_id}, chat_response.encode(value))


def render_refusal(error: Exception, request_id: str) -> Whole:
    """The answer to a chat call that ended with `error`, in OpenAI's envelope."""
    refusal = refusal_for(error, request_id)
    return render_json(error_object(refusal), request_id, status=refusal.status, headers=refusal.headers)


def render_module_refusal(error: Exception, request_id: str) -> Whole:
    """The answer to an invocation or a webhook that ended with `error`, in the module envelope."""
    refusal = refusal_for(error, request_id)
    code = refusal.module_code or refusal.code.upper()
    message = refusal.module_message or refusal.message
    details = [{"field": refusal.param or "body", "message": message}] if code == "VALIDATION_ERROR" else []
    shown = {"code": code, "message": message, "details": details}
    value = {"status": "error", "error": shown, "meta": {"request_id": request_id}}
    return render_json(value, request_id, status=refusal.module_status or refusal.status, headers=refusal.headers)


def refusal_for(error: Exception, request_id: str) -> ChatError:
    """`error` if it is a refusal; anything else is logged, and the caller reads a fixed sentence instead."""
    refusal = _refusal_for(error, request_id)
    if metrics.active is not None:
        metrics.active.note_refusal(refusal.code, refusal.status)
    return refusal


def _refusal_for(error: Exception, request_id: str) -> ChatError:
    if isinstance(error, ChatError):
        return error
    if outages.is_outage(error):
        log.error("database.unavailable request_id=%s: %s", request_id, outages.explain(error))
        return DatabaseUnavailable()
    log.error("chat.unexpected request_id=%s", request_id, exc_info=error)
    return Unexpected()


def error_object(refusal: ChatError) -> dict[str, dict[str, str | None]]:
    """OpenAI's error object, which every failing answer and every failing stream of the chat carries."""
    fields = {"message": refusal.message, "type": refusal.type, "param": refusal.param, "code": refusal.code}
    return {"error": fields}
