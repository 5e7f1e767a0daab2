"""Ways to answer, put together by a test: a stream of these events, these bytes under that media type."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from tests.support.upstream_wire import Script, Seen, Wire

TEXT = "Hello from far away."
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
DONE = b"data: [DONE]\n\n"


def chunk(text: str | None = None, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """A chunk that adds `text`, or other fields of a delta."""
    delta |= {} if text is None else {"content": text}
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


async def say(wire: Wire, text: str, pause_s: float = 0.0) -> None:
    """A well-behaved stream, word by word."""
    await wire.head()
    await wire.event(chunk(""))
    for index, word in enumerate(text.split(" ")):
        await wire.event(chunk(f" {word}" if index else word))
        await asyncio.sleep(pause_s)
    await wire.event(chunk(finish="stop"))
    await wire.event({"choices": [], "usage": USAGE})
    await wire.piece(DONE)
    await wire.end()


def saying(text: str) -> Script:
    """A well-behaved stream of `text`."""

    async def script(wire: Wire, _seen: Seen) -> None:
        await say(wire, text)

    return script


def giving(
    body: bytes | dict[str, Any], *, status: int = 200, kind: str = "application/json", **headers: str
) -> Script:
    """A whole answer: these bytes, or this JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def script(wire: Wire, _seen: Seen) -> None:
        await wire.whole(status, content, kind=kind, **headers)

    return script


def streaming(*events: bytes | dict[str, Any], kind: str = "text/event-stream", **headers: str) -> Script:
    """A stream of these events, each JSON or bytes as they are, each in an HTTP chunk of its own."""

    async def script(wire: Wire, _seen: Seen) -> None:
        await wire.head(kind=kind, **headers)
        for event in events:
            await (wire.piece(event) if isinstance(event, bytes) else wire.event(event))
        await wire.end()

    return script


def refusing(when: Callable[[Any], Any], error: bytes | dict[str, Any], status: int = 400) -> Script:
    """A server that refuses the requests for which `when` holds, and answers the others as they ask."""
    refuse, answer = giving(error, status=status), giving(completion(TEXT))

    async def script(wire: Wire, seen: Seen) -> None:
        if when(seen.json):
            await refuse(wire, seen)
        else:
            await (say(wire, TEXT) if seen.json.get("stream") else answer(wire, seen))

    return script


def completion(text: Any = TEXT, finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    """The body of a whole answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    return {"object": "chat.completion", "choices": [choice], "usage": USAGE}
