"""Tools of MCP servers for the flows of one tenant."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Final

from publishing.mcp import servers, sessions
from scaicore.services import PluginAnswer, PluginCall, PluginTool, ServiceFailed

LONGEST_TEXT: Final = 1_000_000  # characters


class TenantPluginClient:
    """A `scaicore.services.PluginClient`. Servers are looked up at each use, so a change counts from the next one."""

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id

    async def find(self, plugin: str, methods: Collection[str]) -> dict[str, PluginTool]:
        """Those of the tools that were accepted and have not changed since."""
        return (await servers.find(self._tenant_id, plugin, methods)).tools

    async def call(self, call: PluginCall) -> PluginAnswer:
        """What the tool gives; `unconfigured` for one that may not be used."""
        found = await servers.find(self._tenant_id, call.plugin, [call.method])
        if call.method not in found.tools:
            raise ServiceFailed("unconfigured")
        until = asyncio.get_running_loop().time() + min(call.timeout_s, found.target.timeout_s)
        async with sessions.opened(found.target, until) as session:
            result = await session.ask("tools/call", {"name": call.method, "arguments": call.args})
        return _read(result)


def _read(result: dict[str, Any]) -> PluginAnswer:
    content = result.get("content", [])
    if not isinstance(content, list) or result.get("resultType", "complete") != "complete":
        raise ServiceFailed("upstream_failed", said="the result is none of a tool")
    text = "\n".join(_text(part) for part in content)
    if len(text) > LONGEST_TEXT:
        raise ServiceFailed("too_large")
    return PluginAnswer(text, result.get("structuredContent"), result.get("isError") is True)


def _text(part: Any) -> str:
    """The words of a part; of anything else, what it is: bytes are no use to a flow."""
    if not isinstance(part, dict):
        raise ServiceFailed("upstream_failed", said="a part of the result is none")
    if part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    resource = part.get("resource")
    if isinstance(resource, dict) and isinstance(resource.get("text"), str):
        return str(resource["text"])
    where = part.get("uri")
    return f"[{str(part.get('type'))[:40]}{f': {where[:500]}' if isinstance(where, str) else ''}]"
