"""A model's server that costs next to nothing: every answer is the same text, streamed in many small pieces.

`python -m bench.model_server PORT [SECONDS]`: with so long a pause between two pieces. A piece is a frame of some 170
bytes, as the servers in use send them, in an HTTP chunk of its own; the loop is given back after each, so that streams
at the same time are served in turn.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final, cast

PIECES: Final = 200
PAUSE_S: Final = float(sys.argv[2]) if __name__ == "__main__" and len(sys.argv) > 2 else 0.0
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _frame(delta: dict[str, Any], **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None} | more
    chunk = {
        "id": "chatcmpl-0123456789",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "small",
        "choices": [choice],
    }
    return _chunk(b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


FRAMES: Final = [
    _frame({"role": "assistant", "content": ""}),
    *[_frame({"content": f"word{number % 10} "}) for number in range(PIECES)],
    _frame({}, finish_reason="stop"),
    _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n",
]


class Model(asyncio.Protocol):
    """One connection; a request is over when as much has come as its length says."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._speaking: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        if len(body) >= length:
            self._received.clear()
            self._speaking = asyncio.get_running_loop().create_task(self._speak())

    def connection_lost(self, error: Exception | None) -> None:
        if self._speaking is not None:
            self._speaking.cancel()

    async def _speak(self) -> None:
        self._transport.write(_HEAD)
        for frame in FRAMES:
            self._transport.write(frame)
            await asyncio.sleep(PAUSE_S)


async def serve(port: int) -> None:
    """Answer until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Model, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1])))
