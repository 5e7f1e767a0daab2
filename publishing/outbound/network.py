"""Connections: a host's addresses are looked up once, all of them checked, and the connection goes to one of them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpcore2

from publishing.outbound import streams
from publishing.outbound.destinations import Allowed, may_connect

CONNECT_S: Final = 10.0
# Somebody's slow name server must not hold up the threads that everything else shares.
_resolvers: Final = ThreadPoolExecutor(32, "resolver")


class AddressRefused(Exception):
    """The host stands, at least in part, for addresses that are not called from here."""


class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections for httpcore2, which wraps TLS around them under the host's own name."""

    def __init__(self, hosts: Allowed) -> None:
        self._hosts = hosts

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the name is httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the first address of `host` that answers, once all of them were found good."""
        try:
            async with asyncio.timeout(CONNECT_S):
                addresses = await self._addresses(host, port)
                return await self._first(addresses, port)
        except TimeoutError:
            raise httpcore2.ConnectTimeout from None

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  the name is httpcore2's
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Never: sockets of the machine are not called."""
        raise AddressRefused

    async def _addresses(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(_resolvers, look_up, host, port)
        except (OSError, UnicodeError):
            raise httpcore2.ConnectError from None
        if not may_connect(host, port, found, self._hosts):
            raise AddressRefused
        return found

    async def _first(self, addresses: list[str], port: int) -> httpcore2.AsyncNetworkStream:
        share_s = CONNECT_S / max(1, len(addresses))
        for address in addresses:
            try:
                # A literal address: nothing is looked up a second time.
                return await streams.connected(address, port, within_s=share_s)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        raise httpcore2.ConnectError


def look_up(host: str, port: int) -> list[str]:
    """The addresses of `host`, each once, in the order in which the system would try them. Blocks."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
