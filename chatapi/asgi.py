"""The fast path: `POST /v1/chat/completions` answered in front of Django, by the same function as the DRF view.

Django's way from the socket to a view costs more than everything that the call itself needs; this is the same call
without it. All other methods and paths go on to Django.
"""

from __future__ import annotations

import math
from contextlib import aclosing
from typing import Final

from chatapi import call_headers, completions
from chatapi.asgi_types import App, Receive, Scope, Send
from chatapi.caller_watch import CallerWatch
from chatapi.errors import BodyTooLarge, ChatError
from chatapi.responses import Frames, Whole
from publishing.process.cached_settings import settings

PATHS: Final = frozenset(f"{prefix}/chat/completions{slash}" for prefix in ("/v1", "/oai/v1") for slash in ("", "/"))


class CallerLeft(Exception):
    """The connection was closed before the whole request had arrived."""


class ChatFastPath:
    """An ASGI application that answers chat calls and hands everything else on."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if (
            scope["type"] == "http"
            and scope["method"] == "POST"
            and scope["path"] in PATHS
            and not _is_cross_site(scope)
        ):
            await _serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_cross_site(scope: Scope) -> bool:
    """Whether a page of another site may have sent this; Django's middleware knows which headers it must be given."""
    return bool(settings.CORS_ALLOWED_ORIGINS) and any(name == b"origin" for name, _ in scope["headers"])


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    authorization = headers.get("authorization")
    try:
        call_headers.check(headers, limit=settings.MAX_BODY_BYTES)
        body = await read_body(receive, limit=settings.MAX_BODY_BYTES)
    except CallerLeft:
        return
    except ChatError as error:
        await _send_whole(await completions.refuse(authorization, error), send)
        return
    async with CallerWatch(receive) as watch:
        answer = await completions.answer(authorization, headers, body)
        if isinstance(answer, Whole):
            await _send_whole(answer, send)
        else:
            watch.begin()
            await _send_frames(answer, send)


async def read_body(receive: Receive, *, limit: float = math.inf) -> bytes:
    """The body; refused as soon as it grows over `limit` bytes, whatever length it declared."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerLeft
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _send_whole(answer: Whole, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": _raw_headers(answer)})
    await send({"type": "http.response.body", "body": answer.body})


async def _send_frames(answer: Frames, send: Send) -> None:
    """Send frame by frame; whatever ends that, the run is closed."""
    async with aclosing(answer.rest) as frames:
        await send({"type": "http.response.start", "status": 200, "headers": _raw_headers(answer)})
        await send({"type": "http.response.body", "body": answer.first, "more_body": True})
        async for frame in frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _raw_headers(answer: Whole | Frames) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if isinstance(answer, Whole):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    return headers
