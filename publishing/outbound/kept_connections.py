"""Connections that serve one request after another, found by the server they lead to.

The library's own pool looks at every connection, and asks the kernel about every idle one, whenever a request begins or
ends: with a hundred of them that is a millisecond and a half for each call of a model. Here the last one used is taken,
and looked at alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from ssl import SSLContext
from typing import Final, Protocol, cast

import httpcore2

MOST: Final = 1_000
MOST_IDLE: Final = 100
IDLE_S: Final = 30.0
PLACE_S: Final = 10.0

Connection = httpcore2.AsyncHTTPConnection
Server = tuple[bytes, bytes, int]  # scheme, host, port
_NO_BYTE: Final = "Server disconnected"  # how httpcore2 begins to say that the server closed in place of an answer


class KeptConnections:
    """The connections that one list of hosts allowed, in one event loop."""

    def __init__(self, backend: httpcore2.AsyncNetworkBackend, tls: SSLContext) -> None:
        self._backend = backend
        self._tls = tls
        self._places = asyncio.Semaphore(MOST)
        self._idle: dict[Server, list[Connection]] = {}
        self._since: dict[Connection, tuple[float, Server]] = {}  # the idle ones, oldest first

    async def send(self, request: httpcore2.Request) -> httpcore2.Response:
        """The answer's head; its connection is lent until the answer is closed.

        A kept connection that ends without a single byte was closed before the request reached it, so the request is
        sent once more on a new one, as browsers and curl do.
        """
        await self._enter()
        try:
            if (kept := await self._take(_server(request))) is not None:
                try:
                    return await self._exchange(kept, request)
                except (httpcore2.RemoteProtocolError, httpcore2.ReadError, httpcore2.WriteError) as error:
                    if isinstance(error, httpcore2.RemoteProtocolError) and not str(error).startswith(_NO_BYTE):
                        raise
            return await self._exchange(self._new(request.url.origin), request)
        except BaseException:
            self._places.release()
            raise

    async def take_back(self, connection: Connection, server: Server) -> None:
        """Keep a connection whose answer was read to its end; any other is closed already."""
        self._places.release()
        if connection.is_idle():
            self._idle.setdefault(server, []).append(connection)
            self._since[connection] = (time.monotonic(), server)
            await self._let_go(MOST_IDLE, IDLE_S)

    async def aclose(self) -> None:
        """Close the idle ones."""
        await self._let_go(0, 0.0)

    async def _enter(self) -> None:
        """Take a place, which ends with the answer."""
        try:
            async with asyncio.timeout(PLACE_S if self._places.locked() else None):
                await self._places.acquire()
        except TimeoutError:
            raise httpcore2.PoolTimeout from None

    def _new(self, origin: httpcore2.Origin) -> Connection:
        return Connection(origin, ssl_context=self._tls, keepalive_expiry=IDLE_S, network_backend=self._backend)

    async def _take(self, server: Server) -> Connection | None:
        while server in self._idle:
            connection = self._idle[server][-1]
            self._forget(connection, server)
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    def _forget(self, connection: Connection, server: Server) -> None:
        del self._since[connection]
        same = self._idle[server]
        same.remove(connection)
        if not same:
            del self._idle[server]

    async def _let_go(self, most: int, longest_s: float) -> None:
        """Close the oldest beyond `most`, and those that have been idle for too long."""
        while self._since:
            connection, (since, server) = next(iter(self._since.items()))
            if len(self._since) <= most and time.monotonic() - since < longest_s:
                return
            self._forget(connection, server)
            await connection.aclose()

    async def _exchange(self, connection: Connection, request: httpcore2.Request) -> httpcore2.Response:
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            await connection.aclose()
            raise
        body = LentBody(cast("AsyncBody", response.stream), self, connection, _server(request))
        return httpcore2.Response(response.status, headers=response.headers, content=body)


class AsyncBody(Protocol):
    """A body as httpcore2 gives it."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The bytes as they come."""

    async def aclose(self) -> None:
        """Read no more."""


class LentBody:
    """The body of an answer; closing it gives the connection back."""

    def __init__(self, body: AsyncBody, connections: KeptConnections, connection: Connection, server: Server) -> None:
        self._body = body
        self._connections = connections
        self._connection = connection
        self._server = server
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The bytes as they come."""
        return self._body.__aiter__()

    async def aclose(self) -> None:
        """Give the connection back, once."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._body.aclose()
        finally:
            await self._connections.take_back(self._connection, self._server)


def _server(request: httpcore2.Request) -> Server:
    origin = request.url.origin
    return (origin.scheme, origin.host, origin.port)
