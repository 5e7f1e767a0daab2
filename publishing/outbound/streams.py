"""One connection to a server, for httpcore2: bytes go in and out of the event loop without a layer in between."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final, cast

import httpcore2

MOST_UNREAD: Final = 262_144  # bytes; a server that sends faster than it is read has to wait


class Wire(asyncio.Protocol):
    """What came over a connection and was not read yet, and whether more can be written."""

    def __init__(self) -> None:
        self.unread = bytearray()
        self.is_over = False
        self.error: Exception | None = None
        self.transport: asyncio.Transport  # what the bytes go through: TLS, once it has begun
        self._change: asyncio.Future[None] | None = None
        self._is_full = self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there, or goes through TLS from now on."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self.unread += data
        if len(self.unread) > MOST_UNREAD and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Nothing more comes; the connection closes."""
        self.is_over = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self.is_over, self.error = True, error
        self._wake()

    def pause_writing(self) -> None:
        """The server reads slower than we write."""
        self._is_full = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._is_full = False
        self._wake()

    async def arrival(self) -> None:
        """Wait until there is something to read, or nothing more comes."""
        while not self.unread and not self.is_over:
            await self._changed()

    async def room(self) -> None:
        """Wait until more can be written."""
        while self._is_full and not self.is_over:
            await self._changed()

    def taken(self, most: int) -> bytes:
        """What came, at most so many bytes of it."""
        data = bytes(self.unread[:most])
        del self.unread[:most]
        if self._is_paused and len(self.unread) <= MOST_UNREAD:
            self._is_paused = False
            self.transport.resume_reading()
        return data

    async def _changed(self) -> None:
        self._change = asyncio.get_running_loop().create_future()
        await self._change

    def _wake(self) -> None:
        if self._change is not None and not self._change.done():
            self._change.set_result(None)


class ServerStream(httpcore2.AsyncNetworkStream):
    """A connection as httpcore2 uses it: one task reads or writes at a time."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore2's name
        """The next bytes, none at the end."""
        try:
            if not self._wire.unread:
                async with asyncio.timeout(timeout):
                    await self._wire.arrival()
        except TimeoutError:
            raise httpcore2.ReadTimeout from None
        if not self._wire.unread and self._wire.error is not None:
            raise httpcore2.ReadError
        return self._wire.taken(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send these bytes."""
        if not buffer:
            return
        if self._wire.transport.is_closing():
            raise httpcore2.WriteError
        self._wire.transport.write(buffer)
        try:
            async with asyncio.timeout(timeout):
                await self._wire.room()
        except TimeoutError:
            raise httpcore2.WriteTimeout from None

    async def aclose(self) -> None:
        """Hang up. What was not sent yet is not sent any more."""
        await _hang_up(self._wire)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        """Go on through TLS, with a server that proves to be `server_hostname`."""
        loop, wire = asyncio.get_running_loop(), self._wire
        try:
            async with asyncio.timeout(timeout):
                secure = await loop.start_tls(wire.transport, wire, ssl_context, server_hostname=server_hostname)
        except TimeoutError:
            await _hang_up(wire)
            raise httpcore2.ConnectTimeout from None
        except OSError:
            await _hang_up(wire)
            raise httpcore2.ConnectError from None
        if secure is None:
            raise httpcore2.ConnectError
        wire.connection_made(secure)
        return self

    def get_extra_info(self, info: str) -> Any:
        """What httpcore2 asks of a connection. An idle one is readable when it ended, or said what nobody asked."""
        if info == "is_readable":
            return bool(self._wire.unread) or self._wire.is_over or self._wire.transport.is_closing()
        return self._wire.transport.get_extra_info(info)


async def _hang_up(wire: Wire) -> None:
    wire.transport.abort()
    await asyncio.sleep(0)  # the loop closes the socket at its next turn


async def connected(address: str, port: int, *, within_s: float) -> ServerStream:
    """A connection to a literal address."""
    try:
        async with asyncio.timeout(within_s):
            _, wire = await asyncio.get_running_loop().create_connection(Wire, address, port)
    except TimeoutError:
        raise httpcore2.ConnectTimeout from None
    except OSError:
        raise httpcore2.ConnectError from None
    return ServerStream(wire)
