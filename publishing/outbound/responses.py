"""What comes back from a server: its status and headers, and its body piece by piece, unpacked and bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

import httpcore2

from publishing.outbound.network import AddressRefused
from publishing.outbound.packing import HEAD_BYTES, unpacker
from publishing.outbound.read_ahead import ReadAhead
from scaicore.services import Reason, ServiceFailed

REST_S: Final = 0.1  # how long the end of a body is waited for when nothing more of it is needed
# An answer in tiny pieces is worked through without ever waiting for the network; others must get their turn.
PIECES_A_TURN: Final = 64

# What an error of the connection means before there is an answer; the first that fits.
_REASONS: Final[tuple[tuple[type[Exception], Reason], ...]] = (
    (AddressRefused, "refused_address"),
    (TimeoutError, "timed_out"),
    (httpcore2.TimeoutException, "timed_out"),
    (httpcore2.LocalProtocolError, "rejected"),
    (httpcore2.ProtocolError, "upstream_failed"),
    (httpcore2.NetworkError, "unreachable"),
    (OSError, "unreachable"),
)


class OutboundResponse:
    """An answer whose body is still to be read, piece by piece, unpacked, only as fast as it is asked for."""

    def __init__(self, response: httpcore2.Response, most_bytes: int) -> None:
        self.status = response.status
        self.headers = _joined(response.headers)
        self._response = response
        self._pieces = response.aiter_stream()
        self._ahead = ReadAhead(self._pieces)
        self._most_bytes = most_bytes
        self._received_bytes = self._unpacked_bytes = self._count = 0
        self._unpack: Callable[[bytes], Iterator[bytes]] | None = None
        self._ready: Iterator[bytes] = iter(())

    async def piece(self, until: float) -> bytes | None:
        """The next bytes of the body, None at its end. `until`: the loop time after which it is too late."""
        while (piece := next(self._ready, None)) is None:
            received = await (self._received(until) if self._unpack else self._opening(until))
            if received is None:
                return None
            self._ready = self._unpacked(received)
        self._unpacked_bytes += len(piece)
        self._check_bounds()
        if self._is_turn_over():
            await asyncio.sleep(0)
        return piece

    async def read(self, until: float, most_bytes: int) -> bytes:
        """The rest of the body, if it is not longer than `most_bytes`."""
        body = bytearray()
        while (piece := await self.piece(until)) is not None:
            body += piece
            if len(body) > most_bytes:
                raise ServiceFailed("too_large")
        return bytes(body)

    async def drain(self) -> None:
        """Read the end of a body that has said all, so that the connection serves the next request."""
        until = asyncio.get_running_loop().time() + REST_S
        with suppress(ServiceFailed):
            while await self.piece(until) is not None:
                pass

    async def close(self) -> None:
        """Hang up, unless the body was read to its end: then the connection is kept for the next request."""
        try:
            await self._ahead.stop()
            await self._pieces.aclose()
        finally:
            await self._response.aclose()

    @property
    def kind(self) -> str:
        """The media type of the body, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def _received(self, until: float) -> bytes | None:
        """The next bytes as the server sent them, None at their end."""
        with network_failures("upstream_failed"):
            async with asyncio.timeout_at(until):
                received = await self._ahead.take()
        self._received_bytes += len(received or b"")
        self._check_bounds()
        return received

    async def _opening(self, until: float) -> bytes | None:
        """The first bytes, enough of them to tell how they are packed."""
        opening = b""
        while len(opening) < HEAD_BYTES and (received := await self._received(until)) is not None:
            opening += received
        return opening or None

    def _unpacked(self, received: bytes) -> Iterator[bytes]:
        if self._unpack is None:
            self._unpack = self._way_to_unpack(received)
        return self._unpack(received)

    def _way_to_unpack(self, opening: bytes) -> Callable[[bytes], Iterator[bytes]]:
        found = unpacker(self.headers.get("content-encoding", ""), self.kind, opening[:HEAD_BYTES])
        if found is None:
            return lambda received: iter((received,))
        for name in ("content-encoding", "content-length"):  # they speak of the packed bytes
            self.headers.pop(name, None)
        return found.feed

    def _is_turn_over(self) -> bool:
        self._count += 1
        return self._count % PIECES_A_TURN == 0

    def _check_bounds(self) -> None:
        """Raises ServiceFailed once too much has come, packed or unpacked."""
        if max(self._received_bytes, self._unpacked_bytes) > self._most_bytes:
            raise ServiceFailed("too_large")


class network_failures:  # noqa: N801  used like a function; a class, since it is entered for each piece of a stream
    """Raises ServiceFailed for every failure of the network, by its reason alone: the library's own texts quote what
    was sent. `broken` is the reason when a connection broke."""

    def __init__(self, broken: Reason) -> None:
        self._broken = broken

    def __enter__(self) -> None:
        """Nothing yet."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        """Replace a failure that is known."""
        reason = next((reason for known, reason in _REASONS if isinstance(error, known)), None)
        if reason is not None:
            raise ServiceFailed(self._broken if reason == "unreachable" else reason) from None


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; what was sent several times is joined by commas."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found
