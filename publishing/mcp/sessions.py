"""The two ways to talk with an MCP server: by a handshake and then in its session, or by requests that stand alone.

Which way a server takes is found out when its tools are fetched, and kept with it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol

from publishing.mcp import exchange
from publishing.mcp.exchange import RpcError
from publishing.mcp.servers import McpTarget
from scaicore.services import ServiceFailed

ALONE: Final = "2026-07-28"
HANDSHAKE: Final = ("2025-11-25", "2025-06-18", "2025-03-26")
GOODBYE_S: Final = 2.0
_CLIENT: Final = {"name": "scaigrid-publish", "version": "0.1.0"}
_META: Final = "io.modelcontextprotocol"
_SESSION: Final = re.compile(r"[\x21-\x7e]{1,500}")
_SAFE: Final = re.compile(r"[\x21-\x7e]{1,200}")


class McpSession(Protocol):
    """A way to send requests to a server."""

    @property
    def protocol(self) -> str:
        """The version that is spoken."""
        ...

    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a request. Raises ServiceFailed."""
        ...


class RequestsAlone:
    """Requests that each say who asks and how, and need nothing before them."""

    protocol = ALONE

    def __init__(self, target: McpTarget, until: float) -> None:
        self._target = target
        self._until = until

    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a request. Raises ServiceFailed."""
        meta = {
            f"{_META}/protocolVersion": ALONE,
            f"{_META}/clientInfo": _CLIENT,
            f"{_META}/clientCapabilities": {},
        }
        headers = {"mcp-protocol-version": ALONE, "mcp-method": method}
        if isinstance(name := params.get("name"), str):
            if not _SAFE.fullmatch(name):
                raise ServiceFailed("rejected")
            headers["mcp-name"] = name
        reply = await exchange.ask(self._target, method, {**params, "_meta": meta}, headers, self._until)
        return reply.result


class ShakenHands:
    """A session that began with a handshake; `headers` name it."""

    def __init__(self, target: McpTarget, until: float, protocol: str, headers: dict[str, str]) -> None:
        self.protocol = protocol
        self._target = target
        self._until = until
        self._headers = headers

    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a request. Raises ServiceFailed."""
        return (await exchange.ask(self._target, method, params, self._headers, self._until)).result


@asynccontextmanager
async def opened(target: McpTarget, until: float) -> AsyncIterator[McpSession]:
    """A session as the server is known to want it, or as it turns out to. Raises ServiceFailed."""
    if target.protocol == ALONE or (not target.protocol and await _stands_alone(target, until)):
        yield RequestsAlone(target, until)
        return
    protocol, headers = await _shake_hands(target, until)
    try:
        await exchange.tell(target, "notifications/initialized", headers, until)
        yield ShakenHands(target, until, protocol, headers)
    finally:
        if "mcp-session-id" in headers:
            with suppress(ServiceFailed):
                await exchange.end(target, headers, asyncio.get_running_loop().time() + GOODBYE_S)


async def _stands_alone(target: McpTarget, until: float) -> bool:
    """Whether the server takes requests without a handshake. Servers of earlier versions refuse in many ways."""
    try:
        found = await RequestsAlone(target, until).ask("server/discover", {})
    except RpcError:
        return False
    except ServiceFailed as failed:
        if failed.reason in ("rejected", "missing", "upstream_failed"):
            return False
        raise
    spoken = found.get("supportedVersions")
    return isinstance(spoken, list) and ALONE in spoken


async def _shake_hands(target: McpTarget, until: float) -> tuple[str, dict[str, str]]:
    """The version to speak, and the headers of the session."""
    offer = {"protocolVersion": HANDSHAKE[0], "capabilities": {}, "clientInfo": _CLIENT}
    reply = await exchange.ask(target, "initialize", offer, {}, until)
    protocol = reply.result.get("protocolVersion")
    if protocol not in HANDSHAKE:
        raise ServiceFailed("upstream_failed", said="it speaks no version that is spoken here")
    session = reply.headers.get("mcp-session-id", "")
    if session and not _SESSION.fullmatch(session):
        raise ServiceFailed("upstream_failed", said="its session cannot be named in a header")
    return protocol, {"mcp-protocol-version": protocol} | ({"mcp-session-id": session} if session else {})
