"""A load of chat calls over kept-alive connections, cheap enough not to be what is measured.

Every answer of one server to one request has the same length, so after the first one bytes are only counted.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Result:
    """What a load measured. Times in seconds."""

    requests: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def median_ms(self) -> float:
        """The median time from request to whole answer, in milliseconds."""
        return sorted(self.latencies)[len(self.latencies) // 2] * 1000


class _Caller(asyncio.Protocol):
    def __init__(self, request: bytes, length: int, until: float, result: Result, done: asyncio.Future[None]) -> None:
        self._request, self._length, self._until = request, length, until
        self._result, self._done = result, done
        self._received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._received, self._sent_at = 0, time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received < self._length:
            return
        now = time.perf_counter()
        self._result.requests += 1
        self._result.latencies.append(now - self._sent_at)
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


def request_bytes(url: str, key: str, body: bytes) -> bytes:
    """The raw request for `url`."""
    where = urlsplit(url)
    return (
        f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def measure(url: str, key: str, body: bytes, *, connections: int, seconds: float) -> Result:
    """Call `url` from `connections` connections for `seconds`, each as soon as its last answer is complete."""
    where = urlsplit(url)
    request = request_bytes(url, key, body)
    length = await _answer_length(where.hostname or "", where.port or 80, request)
    loop, result = asyncio.get_running_loop(), Result()
    started = time.perf_counter()
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        caller = _Caller(request, length, started + seconds, result, end)
        await loop.create_connection(lambda caller=caller: caller, where.hostname, where.port)
    await asyncio.gather(*ends)
    result.seconds = time.perf_counter() - started
    return result


async def _answer_length(host: str, port: int, request: bytes) -> int:
    """The length of one whole answer, the slowest of a few first calls being thrown away."""
    length = 0
    for _ in range(20):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], head
        size = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")).split()[1])
        await reader.readexactly(size)
        length = len(head) + size
        writer.close()
    return length
