"""HTTP by hand for the scripted server: what a well-behaved library would never send must be sendable here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    model: str
    nth: int = 1  # of its connection

    @property
    def name(self) -> str:
        """By what the answer is chosen."""
        return self.model or self.path

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """Writes one answer."""

    def __init__(self, writer: asyncio.StreamWriter, count: Callable[[int], None]) -> None:
        self._writer = writer
        self._count = count

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
        self._count(len(data))
        await asyncio.sleep(0)  # a flood must leave the server's loop time to notice who hangs up

    async def head(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        """The head of an answer whose body comes in chunks."""
        await self._head(status, {"content-type": kind, "transfer-encoding": "chunked"} | headers)

    async def piece(self, data: bytes) -> None:
        """One HTTP chunk of the body."""
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        """The end of a body in chunks."""
        await self.raw(b"0\r\n\r\n")

    async def event(self, value: Any) -> None:
        """One server-sent event with a JSON value."""
        await self.piece(b"data: " + json.dumps(value).encode() + b"\n\n")

    async def whole(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """A whole answer."""
        await self._head(status, {"content-type": kind, "content-length": str(len(body))} | headers)
        await self.raw(body)

    def abort(self) -> None:
        """Break the connection without a farewell."""
        self._writer.transport.abort()

    async def _head(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} X", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        await self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"))


Script = Callable[[Wire, Seen], Awaitable[None]]
