"""A bare ASGI application that hands on a model's bytes by httpx, and does nothing else: what relaying itself costs."""

from __future__ import annotations

import os
from typing import Any

import httpx2

CLIENT = httpx2.AsyncClient(limits=httpx2.Limits(max_connections=None, max_keepalive_connections=256), timeout=60)
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Read the request, ask the model that BENCH_MODEL names, send on what comes as it comes."""
    if scope["type"] == "lifespan":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message.get("more_body", False)
    async with CLIENT.stream("POST", os.environ["BENCH_MODEL"], content=body) as answer:
        await send(START)
        async for piece in answer.aiter_raw():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
