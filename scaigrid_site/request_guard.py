"""What both the fast path and Django refuse by the head of a request alone, in the envelope of its prefix."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

import msgspec

from chatapi import responses
from chatapi.asgi_types import App, Receive, Scope, Send
from chatapi.errors import ChatError, FieldInvalid, KeyInvalid
from chatapi.responses import Whole
from identity import ids

# Two of these have no common meaning, and whoever reads the first would serve another request than who reads the last.
SINGLE: Final = {
    b"authorization": KeyInvalid("Send one `Authorization` header, not several."),
    **{
        name.lower().encode(): FieldInvalid(f"Send one `{name}` header, not several.", param=name, code="bad_request")
        for name in ("Content-Encoding", "Content-Length", "Content-Type", "Host", "Idempotency-Key", "X-Entity-Id")
    },
}
NO_HOST: Final = FieldInvalid("An HTTP/1.1 request needs a `Host` header.", param="Host", code="bad_request")
MODULE_PATHS: Final = ("/v1/modules/", "/hooks/")


class RequestGuard:
    """An ASGI application in front of all others."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection event."""
        if scope["type"] == "http":
            refusal = _find_refusal(scope)
            if refusal is not None:
                return _send_refusal(refusal, scope["path"], send)
        return self._app(scope, receive, send)


def _find_refusal(scope: Scope) -> ChatError | None:
    headers = scope["headers"]
    named = dict(headers)
    if len(named) < len(headers):
        names = [name for name, _ in headers]
        for name, refusal in SINGLE.items():
            if names.count(name) > 1:
                return refusal
    if b"host" not in named and scope["http_version"] == "1.1":
        return NO_HOST
    return None


async def _send_refusal(refusal: ChatError, path: str, send: Send) -> None:
    answer = _render(refusal, path)
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})


def _render(refusal: ChatError, path: str) -> Whole:
    request_id = ids.new("req")
    if path.startswith(MODULE_PATHS):
        return responses.render_module_refusal(refusal, request_id)
    answer = responses.render_refusal(refusal, request_id)
    if path.startswith("/api/"):
        detail = {"error": refusal.code, "message": refusal.message, "fix": "Send the request as /api/docs/ shows it."}
        return answer._replace(body=msgspec.json.encode({"detail": detail}))
    return answer
