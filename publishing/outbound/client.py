"""The one way out: checked requests over pinned connections, redirects followed by hand, answers bounded.

No cookies, no proxies, no `.netrc`, nothing from the environment: tenants share the connections and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from ssl import SSLContext
from typing import Final
from weakref import WeakKeyDictionary

import httpcore2

from publishing.outbound.destinations import Allowed
from publishing.outbound.network import PinnedBackend
from publishing.outbound.requests import REDIRECTS, Outgoing
from publishing.outbound.responses import OutboundResponse, network_failures
from scaicore.services import ServiceFailed

CONNECTIONS: Final = 1_000
IDLE_CONNECTIONS: Final = 100
IDLE_S: Final = 30.0

Pool = httpcore2.AsyncConnectionPool
_NO_BYTE: Final = "Server disconnected"  # how httpcore2 begins to say that the server closed in place of an answer

# A connection that one list of hosts allowed must not serve a request under another, so each has its own pool.
_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Allowed, Pool]] = WeakKeyDictionary()


@asynccontextmanager
async def answered(sent: Outgoing, *, hosts: Allowed, until: float, most_bytes: int) -> AsyncIterator[OutboundResponse]:
    """The answer to `sent`, its redirects followed; hung up at the end of the block. Raises ServiceFailed.

    `hosts`: those that may be called although their addresses are not public. `until`: the loop time after which
    the answer's head is too late.
    """
    answer = await _answer(sent, hosts, until, most_bytes)
    try:
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
        with network_failures("unreachable"):
            async with asyncio.timeout_at(until):
                response = await _exchange(sent, _pool(hosts))
        answer = OutboundResponse(response, most_bytes)
        location = answer.headers.get("location")
        if answer.status not in (301, 302, 303, 307, 308) or location is None:
            return answer
        await answer.close()
        sent = sent.redirected(answer.status, location)
    raise ServiceFailed("upstream_failed")


async def _exchange(sent: Outgoing, pool: Pool) -> httpcore2.Response:
    """The answer's head. A kept connection that ends without a single byte was closed before the request reached it,
    so the request is sent once more, as browsers and curl do."""
    connected: list[str] = []

    async def note(event: str, _info: object) -> None:
        if event == "connection.connect_tcp.started":
            connected.append(event)

    try:
        return await pool.handle_async_request(sent.framed(note))
    except (httpcore2.RemoteProtocolError, httpcore2.ReadError, httpcore2.WriteError) as error:
        if connected or (isinstance(error, httpcore2.RemoteProtocolError) and not str(error).startswith(_NO_BYTE)):
            raise
    return await pool.handle_async_request(sent.framed())


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
