"""What is said of every request, where that is wanted: a line of the log, and the span that its work belongs to."""

from __future__ import annotations

import logging
import time
from typing import Final

from chatapi.asgi_types import App, Message, Receive, Scope, Send
from publishing.process import tracing

log = logging.getLogger(__name__)

FROM: Final = (b"traceparent", b"tracestate")
INVITATION: Final = "/invitation/"
ROUTE_PARTS: Final = 4  # with the empty one before the first slash, as in /v1/chat/completions


class AccessLines:
    """An ASGI application that writes a line for each request to `app`: how it was answered, and how long that took."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer, began = Answer(send), time.perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        finally:
            log.info(
                "request.%s",
                "answered" if answer.is_whole else "cut",
                extra={
                    "method": scope["method"],
                    "path": _without_secret(scope["path"]),
                    "status": answer.status,
                    "bytes": answer.bytes,
                    "ms": round((time.perf_counter() - began) * 1000, 1),
                    "request_id": answer.request_id,
                },
            )


class Traced:
    """An ASGI application that puts each request to `app` into a span, under that of a caller who traces, too."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in FROM}
        route = _route(_without_secret(scope["path"]))
        about = {"http.request.method": scope["method"], "http.route": route, "url.scheme": scope["scheme"]}
        answer = Answer(send)
        with tracing.span(f"{scope['method']} {route}", "server", about, received) as span:
            try:
                await self._app(scope, receive, answer.send)
            finally:
                span.note(
                    {"http.response.status_code": answer.status, "scaigrid.request.id": answer.request_id},
                    error=str(answer.status) if answer.status >= 500 else "" if answer.is_whole else "cut",
                )


def _route(path: str) -> str:
    """The begin of a path: what comes behind it are names and ids, of which there is no end."""
    return "/".join(path.split("/")[:ROUTE_PARTS])


class Answer:
    """What is sent, looked at on its way. `status` is 0 while nothing was."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.bytes = 0
        self.request_id = ""
        self.is_whole = False

    async def send(self, message: Message) -> None:
        """Send it on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.request_id = next((v.decode() for name, v in message["headers"] if name == b"x-request-id"), "")
        elif message["type"] == "http.response.body":
            self.bytes += len(message.get("body", b""))
            self.is_whole = not message.get("more_body", False)
        await self._send(message)


def _without_secret(path: str) -> str:
    """The path, but for the token of an invitation: whoever has that may set a password."""
    return f"{INVITATION}…" if path.startswith(INVITATION) else path
