"""The one way out: checked requests over pinned connections, redirects followed by hand, answers bounded.

No cookies, no proxies, no `.netrc`, nothing from the environment: tenants share the connections and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from ssl import SSLContext
from typing import Final
from weakref import WeakKeyDictionary

import httpcore2

from publishing.outbound.destinations import Allowed
from publishing.outbound.network import AddressRefused, PinnedBackend
from publishing.outbound.requests import REDIRECTS, Outgoing
from scaicore.services import Reason, ServiceFailed

CONNECTIONS: Final = 1_000
IDLE_CONNECTIONS: Final = 100
IDLE_S: Final = 30.0
REST_S: Final = 0.1  # how long the end of a body is waited for when nothing more of it is needed
# An answer in tiny pieces is worked through without ever waiting for the network; others must get their turn.
PIECES_A_TURN: Final = 32

Pool = httpcore2.AsyncConnectionPool

# A connection that one list of hosts allowed must not serve a request under another, so each has its own pool.
_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Allowed, Pool]] = WeakKeyDictionary()

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
    """An answer whose body is still to be read, piece by piece, only as fast as it is asked for."""

    def __init__(self, response: httpcore2.Response, most_bytes: int) -> None:
        self.status = response.status
        self.headers = _joined(response.headers)
        self._response = response
        self._pieces = response.aiter_stream()
        self._most_bytes = most_bytes
        self._bytes = self._count = 0

    async def piece(self, until: float) -> bytes | None:
        """The next bytes of the body, None at its end. `until`: the loop time after which it is too late."""
        with _told(broken="upstream_failed"):
            async with asyncio.timeout_at(until):
                piece = await anext(self._pieces, None)
        if piece is None:
            return None
        self._bytes += len(piece)
        if self._bytes > self._most_bytes:
            raise ServiceFailed("too_large")
        self._count += 1
        if self._count % PIECES_A_TURN == 0:
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
            await self._pieces.aclose()
        finally:
            await self._response.aclose()

    @property
    def kind(self) -> str:
        """The media type of the body, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_packed(self) -> bool:
        """Whether the body is compressed, although plain bytes were asked for: it may unpack to anything."""
        return self.headers.get("content-encoding", "identity").lower() != "identity"


@asynccontextmanager
async def answered(sent: Outgoing, *, hosts: Allowed, until: float, most_bytes: int) -> AsyncIterator[OutboundResponse]:
    """The answer to `sent`, its redirects followed; hung up at the end of the block. Raises ServiceFailed.

    `hosts`: those that may be called although their addresses are not public. `until`: the loop time after which
    the answer's head is too late.
    """
    answer = await _answer(sent, hosts, until, most_bytes)
    try:
        if answer.is_packed:
            raise ServiceFailed("upstream_failed")
        yield answer
    finally:
        await answer.close()


async def close() -> None:
    """Close the running loop's connections."""
    for pool in _pools.pop(asyncio.get_running_loop(), {}).values():
        await pool.aclose()


@cache
def tls() -> SSLContext:
    """How servers prove who they are: by the system's certificate authorities, or those of `SSL_CERT_FILE`."""
    return httpcore2.default_ssl_context()


async def _answer(sent: Outgoing, hosts: Allowed, until: float, most_bytes: int) -> OutboundResponse:
    for _ in range(REDIRECTS + 1):
        with _told(broken="unreachable"):
            async with asyncio.timeout_at(until):
                response = await _pool(hosts).handle_async_request(sent.framed())
        answer = OutboundResponse(response, most_bytes)
        location = answer.headers.get("location")
        if answer.status not in (301, 302, 303, 307, 308) or location is None:
            return answer
        await answer.close()
        sent = sent.redirected(answer.status, location)
    raise ServiceFailed("upstream_failed")


def _pool(hosts: Allowed) -> Pool:
    pools = _pools.setdefault(asyncio.get_running_loop(), {})
    if hosts not in pools:
        pools[hosts] = Pool(
            ssl_context=tls(),
            max_connections=CONNECTIONS,
            max_keepalive_connections=IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_S,
            network_backend=PinnedBackend(hosts),
        )
    return pools[hosts]


@contextmanager
def _told(*, broken: Reason) -> Iterator[None]:
    """Tells every failure of the network by its reason alone: the library's own texts quote what was sent."""
    try:
        yield
    except tuple(kind for kind, _ in _REASONS) as error:
        reason = next(reason for kind, reason in _REASONS if isinstance(error, kind))
        raise ServiceFailed(broken if reason == "unreachable" else reason) from None


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; what was sent several times is joined by commas."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found
