"""A load of chat calls over kept-alive connections, cheap enough not to be what is measured."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

WARM_UP_S: Final = 0.2
_HEAD_END: Final = b"\r\n\r\n"
_LAST_CHUNK: Final = b"0\r\n\r\n"
_LENGTH: Final = b"content-length:"
# A piece of an answer that a caller would show: a delta with text in it.
_WORD: Final = b'"content":'
_EMPTY_WORD: Final = b'"content":""'


@dataclass
class Result:
    """What a load measured. Seconds to the last byte in `latencies`, to the first piece of text in `first_words`."""

    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    words: int = 0
    latencies: list[float] = field(default_factory=list)
    first_words: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Good answers per second."""
        return (self.requests - self.failures) / self.seconds

    @property
    def word_rate(self) -> float:
        """Streamed pieces per second."""
        return self.words / self.seconds

    def latency_ms(self, share: float) -> float:
        """What `share` of the answers took at most, in milliseconds."""
        return quantile_ms(self.latencies, share)

    def first_word_ms(self, share: float) -> float:
        """What `share` of the streams took at most to their first piece, in milliseconds."""
        return quantile_ms(self.first_words, share)


def quantile_ms(seconds: list[float], share: float) -> float:
    """What `share` of these stayed under, in milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000 if seconds else float("nan")


@dataclass(frozen=True)
class Call:
    """What is asked, again and again. `key` goes out as a bearer token."""

    url: str
    key: str
    body: bytes
    is_streamed: bool = False

    def render(self) -> bytes:
        """The raw request."""
        where = urlsplit(self.url)
        return (
            f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        ).encode() + self.body


class _Caller(asyncio.Protocol):
    """One connection, which asks again as soon as its answer is whole."""

    def __init__(self, request: bytes, until: float, result: Result, done: asyncio.Future[None]) -> None:
        self._request, self._until, self._result, self._done = request, until, result, done
        self._received = bytearray()
        self._missing: int | None = None
        self._is_in_head = self._awaits_word = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._is_in_head = self._awaits_word = True
        self._missing = None
        self._received.clear()
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            self._received += data
            end = self._received.find(_HEAD_END)
            if end < 0:
                return
            data = self._read_head(end)
        if self._missing is None:
            self._read_chunks(data)
        else:
            self._missing -= len(data)
            if self._missing <= 0:
                self._finish()

    def _read_head(self, end: int) -> bytes:
        """What follows the head, which ends at `end`."""
        self._is_in_head = False
        head = bytes(self._received[:end]).lower()
        if b" 200 " not in head[:16]:
            self._result.failures += 1
        at = head.find(_LENGTH)
        if at >= 0:
            self._missing = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        data = bytes(self._received[end + 4 :])
        self._received.clear()
        return data

    def _read_chunks(self, data: bytes) -> None:
        words = data.count(_WORD) - data.count(_EMPTY_WORD)
        self._result.words += words
        if words and self._awaits_word:
            self._awaits_word = False
            self._result.first_words.append(time.perf_counter() - self._sent_at)
        self._received += data[-len(_LAST_CHUNK) :]
        if self._received.endswith(_LAST_CHUNK):
            self._finish()
        else:
            del self._received[: -len(_LAST_CHUNK)]

    def _finish(self) -> None:
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


async def measure(call: Call, *, connections: int, seconds: float) -> Result:
    """Call from `connections` connections for `seconds`, after some calls that are not counted."""
    await _load(call, connections=connections, seconds=WARM_UP_S)
    return await _load(call, connections=connections, seconds=seconds)


async def _load(call: Call, *, connections: int, seconds: float) -> Result:
    where, request = urlsplit(call.url), call.render()
    loop, result = asyncio.get_running_loop(), Result()
    started = time.perf_counter()
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        caller = _Caller(request, started + seconds, result, end)
        await loop.create_connection(lambda caller=caller: caller, where.hostname, where.port)
    await asyncio.gather(*ends)
    result.seconds = time.perf_counter() - started
    return result
