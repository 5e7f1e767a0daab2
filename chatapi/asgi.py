"""The fast path: `POST /v1/chat/completions` answered in front of Django, by the same function as the DRF view.

Django's way from the socket to a view costs more than everything that the call itself needs; this is the same call
without it. All other methods and paths go on to Django.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from django.conf import settings

from chatapi import chat_request, completions
from chatapi.asgi_types import App, Receive, Scope, Send
from chatapi.errors import BodyTooLarge, ChatError
from chatapi.responses import Frames, Whole

PATHS: Final = frozenset(f"{prefix}/chat/completions{slash}" for prefix in ("/v1", "/oai/v1") for slash in ("", "/"))
# Most answers are there before it is worth watching whether their caller has left.
PATIENCE_S: Final = 0.05


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
        chat_request.check_headers(headers, limit=settings.MAX_BODY_BYTES)
        body = await _read(receive, limit=settings.MAX_BODY_BYTES)
    except CallerLeft:
        return
    except ChatError as error:
        await _send_whole(await completions.refuse(authorization, error), send)
        return
    answer = await _unless_left(completions.answer(authorization, headers, body), receive)
    if isinstance(answer, Whole):
        await _send_whole(answer, send)
    elif answer is not None:
        await _send_frames(answer, receive, send)


async def _read(receive: Receive, *, limit: int) -> bytes:
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


async def _unless_left(work: Coroutine[Any, Any, Whole | Frames], receive: Receive) -> Whole | Frames | None:
    """What `work` returns; None when the caller left first, which cancels it."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=PATIENCE_S)
        if not task.done():
            await _wait_for_either(task, _disconnected(receive))
        return task.result() if task.done() else None
    finally:
        task.cancel()


async def _send_whole(answer: Whole, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": _raw_headers(answer)})
    await send({"type": "http.response.body", "body": answer.body})


async def _send_frames(answer: Frames, receive: Receive, send: Send) -> None:
    """Send frame by frame until the end or until the caller leaves; either way the run is closed."""
    sending = asyncio.create_task(_all_frames(answer, send))
    try:
        await _wait_for_either(sending, _disconnected(receive))
    finally:
        # Whoever closes a generator that still runs in a task gets an error: the task has to end first.
        sending.cancel()
        await asyncio.wait({sending})
        await answer.rest.aclose()


async def _all_frames(answer: Frames, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _raw_headers(answer)})
    await send({"type": "http.response.body", "body": answer.first, "more_body": True})
    async for frame in answer.rest:
        await send({"type": "http.response.body", "body": frame, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _wait_for_either(task: asyncio.Task[Any], other: Coroutine[Any, Any, None]) -> None:
    """Wait for `task`, but no longer than for `other`."""
    watch = asyncio.create_task(other)
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _raw_headers(answer: Whole | Frames) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if isinstance(answer, Whole):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    return headers
