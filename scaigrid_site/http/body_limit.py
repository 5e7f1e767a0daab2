"""A body over the limit is never read: Django alone would read all of it before a view could refuse."""

from __future__ import annotations

from chatapi.asgi_types import App, Message, Receive, Scope, Send

NO_MORE: Message = {"type": "http.request", "body": b"", "more_body": False}


class BodyLimit:
    """Hands a request on without a body that is larger than `most` bytes.

    The declared length stays, so that the view refuses it in its own envelope, and known callers only.
    """

    def __init__(self, app: App, *, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] == "http":
            receive = _Bounded(scope, receive, self._most)
        await self._app(scope, receive, send)


class _Bounded:
    def __init__(self, scope: Scope, receive: Receive, most: int) -> None:
        self._scope = scope
        self._receive = receive
        self._most = most
        self._size = 0
        self._is_cut = False

    async def __call__(self) -> Message:
        if self._is_cut:
            return await self._wait_for_disconnect()
        declared = dict(self._scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self._most:
            self._is_cut = True
            return NO_MORE
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self._most:
            # It came in chunks, without a length. Django reads the headers after the body, so now is early enough.
            self._scope["headers"] = [*self._scope["headers"], (b"content-length", str(self._size).encode())]
            self._is_cut = True
            return NO_MORE
        return message

    async def _wait_for_disconnect(self) -> Message:
        while (message := await self._receive())["type"] != "http.disconnect":
            pass
        return message
