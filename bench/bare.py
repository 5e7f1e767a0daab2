"""A bare ASGI application that answers a fixed text: what the server itself costs."""

from __future__ import annotations

from typing import Any

BODY = (
    b'{"id":"chatcmpl-000000000000","object":"chat.completion","choices":[{"message":{"content":"hello"}}]}'
    + b" " * 200
)
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Read the request, answer the text."""
    if scope["type"] == "lifespan":
        return
    await receive()
    await send(START)
    await send({"type": "http.response.body", "body": BODY})
