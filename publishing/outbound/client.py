"""The one way out: checked requests over pinned connections, redirects followed by hand, answers bounded.

No cookies, no proxies, no `.netrc`, nothing from the environment: tenants share the connections and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from ssl import SSLContext
from weakref import WeakKeyDictionary

import httpcore2

from publishing.outbound.destinations import Allowed
from publishing.outbound.kept_connections import KeptConnections
from publishing.outbound.network import PinnedBackend
from publishing.outbound.requests import REDIRECTS, Outgoing
from publishing.outbound.responses import OutboundResponse, network_failures
from scaicore.services import ServiceFailed

# A connection that one list of hosts allowed must not serve a request under another, so each has its own pool.
_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Allowed, KeptConnections]] = WeakKeyDictionary()


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
                response = await _pool(hosts).send(sent.framed())
        answer = OutboundResponse(response, most_bytes)
        location = answer.headers.get("location")
        if answer.status not in (301, 302, 303, 307, 308) or location is None:
            return answer
        await answer.close()
        sent = sent.redirected(answer.status, location)
    raise ServiceFailed("upstream_failed")


def _pool(hosts: Allowed) -> KeptConnections:
    pools = _pools.setdefault(asyncio.get_running_loop(), {})
    if hosts not in pools:
        pools[hosts] = KeptConnections(PinnedBackend(hosts), tls())
    return pools[hosts]
