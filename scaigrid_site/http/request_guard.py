"""What both the fast path and Django refuse by the head of a request alone, in the envelope of its prefix."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Final

import msgspec

from chatapi import responses
from chatapi.asgi_types import App, Receive, Scope, Send
from chatapi.errors import ChatError, FieldInvalid, HttpsRequired, KeyInvalid, UrlUnknown
from chatapi.responses import Whole
from identity import ids
from publishing.process.cached_settings import settings

# Two of these have no common meaning, and whoever reads the first would serve another request than who reads the last.
SINGLE: Final = {
    b"authorization": KeyInvalid("Send one `Authorization` header, not several."),
    **{
        name.lower().encode(): FieldInvalid(f"Send one `{name}` header, not several.", param=name, code="bad_request")
        for name in ("Content-Encoding", "Content-Length", "Content-Type", "Host", "Idempotency-Key", "X-Entity-Id")
    },
}
NO_HOST: Final = FieldInvalid("An HTTP/1.1 request needs a `Host` header.", param="Host", code="bad_request")
WITHOUT_V1: Final = UrlUnknown("This URL is not served. The base URL of this API ends in `/v1`: add it.")
CALL_PATHS: Final = ("/v1/", "/oai/v1/", "/hooks/", "/mcp/")
OPENAI_PATHS: Final = ("/chat/completions", "/completions", "/embeddings", "/responses")
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
    path = f"{scope['path']}/"
    if settings.SESSION_COOKIE_SECURE and (path.startswith(CALL_PATHS) or b"authorization" in named):
        return None if _came_by_https(scope, named) else HttpsRequired()
    return WITHOUT_V1 if _lacks_v1(path, named) else None


def _came_by_https(scope: Scope, named: Mapping[bytes, bytes]) -> bool:
    """As Django decides it with SECURE_PROXY_SSL_HEADER: the proxy's word counts, and the connection without one."""
    said = named.get(b"x-forwarded-proto")
    return bool(scope["scheme"] == "https" if said is None else said.partition(b",")[0].strip() == b"https")


def _lacks_v1(path: str, named: Mapping[bytes, bytes]) -> bool:
    """Whether a program means the API; `/models/` is a page for browsers, which send no key."""
    if path.startswith("/models/"):
        is_json_wanted = path.strip("/") == "models" and named.get(b"accept") == b"application/json"
        return is_json_wanted or b"authorization" in named
    return path.rstrip("/") in OPENAI_PATHS


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
