"""MCP servers, ready to be called: the address, the opened headers, and the tools that may be used now."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from publishing import outbound, vault
from publishing.db import pool
from publishing.models import McpServer
from publishing.outbound import Allowed
from scaicore.services import PluginTool, ServiceFailed

log = logging.getLogger(__name__)

TIMEOUT_S = 30.0
FIND = """
SELECT url, sealed_headers, timeout_s, protocol,
       (SELECT jsonb_agg(tool) FROM jsonb_array_elements(tools) tool WHERE tool ->> 'name' = ANY (%s::text[])),
       (SELECT jsonb_object_agg(tool ->> 'name', tool ->> 'digest') FROM jsonb_array_elements(found) tool
        WHERE tool ->> 'name' = ANY (%s::text[])),
       found IS NULL
FROM publishing_mcpserver WHERE tenant_id = %s AND ref = %s
"""


@dataclass(frozen=True)
class McpTarget:
    """A server, ready to be called. `hosts`: those that it may be at although they are not public."""

    url: str
    headers: dict[str, str] = field(repr=False)
    timeout_s: float
    protocol: str
    hosts: Allowed


class FoundServer(NamedTuple):
    """A server and those of its tools that were asked for and may be used now."""

    target: McpTarget
    tools: dict[str, PluginTool]


async def find(tenant_id: str, ref: str, names: Collection[str]) -> FoundServer:
    """The tenant's server of this ref. A tool that was not accepted, or has changed since, is not among its tools."""
    asked = list(names)
    rows = await pool.rows(FIND, [asked, asked, tenant_id, ref])
    if not rows:
        raise ServiceFailed("unconfigured")
    [(url, sealed, timeout_s, protocol, tools, digests, is_unchanged)] = rows
    listed = digests or {}
    usable = [tool for tool in tools or () if is_unchanged or listed.get(tool["name"]) == tool["digest"]]
    target = _target(tenant_id, ref, url, sealed, timeout_s, protocol)
    if target is None:
        raise ServiceFailed("unconfigured")
    return FoundServer(target, {tool["name"]: msgspec.convert(tool, PluginTool) for tool in usable})


def tools_of(tenant_id: str, refs: Collection[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """By ref and name, the input schemas of the tools that the tenant's flows may name: of these servers. The others
    are there without any, since a list may be long."""
    own = McpServer.objects.filter(tenant=tenant_id)
    found: dict[str, dict[str, Any]] = {ref: {} for ref in own.values_list("ref", flat=True)}
    if refs:
        for server in own.filter(ref__in=refs).only("ref", "tools", "found"):
            found[server.ref] = {tool["name"]: tool["input_schema"] for tool in server.usable}
    return found


def find_missing(tenant_id: str, named: Mapping[str, Collection[str]]) -> list[str]:
    """Those of the named tools, each as `server/tool`, that the tenant's flows may not call now."""
    usable = tools_of(tenant_id, named)
    return sorted(f"{ref}/{name}" for ref, names in named.items() for name in names if name not in usable.get(ref, ()))


def ready(server: McpServer) -> McpTarget | None:
    """The server, ready to be called; None when its headers cannot be read."""
    sealed = None if server.sealed_headers is None else bytes(server.sealed_headers)
    return _target(server.tenant_id, server.ref, server.url, sealed, server.timeout_s, server.protocol)


def headers_context(tenant_id: str, ref: str) -> str:
    """What a server's headers are sealed for: the row that holds them."""
    return f"mcp server {tenant_id} {ref}"


def _target(
    tenant_id: str, ref: str, url: str, sealed: bytes | None, timeout_s: float, protocol: str
) -> McpTarget | None:
    try:
        text = "{}" if sealed is None else vault.unseal(sealed, context=headers_context(tenant_id, ref))
    except vault.Unreadable:
        log.error("mcp_server.unreadable tenant=%s ref=%s: sealed under another SECRET_KEY", tenant_id, ref)
        return None
    return McpTarget(url, msgspec.json.decode(text, type=dict[str, str]), timeout_s, protocol, outbound.listed())
