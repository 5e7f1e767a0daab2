"""MCP servers: added, changed, asked for their tools, removed. A list of tools counts once an admin has accepted it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from django.db import transaction

from identity import audit, validation
from identity.actors import Actor
from identity.errors import Invalid, Problem
from identity.models import Tenant
from publishing import vault
from publishing.actions import addresses
from publishing.actions.base import UNCHANGED, Unchanged
from publishing.errors import McpServerExists, McpServerInUse, McpServerNotFound, McpToolsMoved
from publishing.mcp import listing, servers, tool_lists
from publishing.mcp.listing import FetchedList
from publishing.mcp.tool_lists import ToolChange
from publishing.models import McpServer, references

MOST_HEADERS: Final = 20
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE: Final = re.compile(r"[\x20-\x7e]{1,4000}")
_ALL: Final = (
    *("url", "sealed_headers", "header_names", "timeout_s", "protocol", "tools", "found", "left_out"),
    *("accepted_at", "fetched_at", "updated_at"),
)
_OURS: Final = re.compile(r"(?:host|content-.*|transfer-encoding|connection|accept|mcp-.*)", re.IGNORECASE)


class RefreshedTools(NamedTuple):
    """The server after it was asked for its tools, and what is otherwise than accepted; or the problem, as a
    sentence."""

    server: McpServer
    changes: list[ToolChange]
    problem: str


@transaction.atomic
def create_mcp_server(
    *,
    tenant: Tenant,
    ref: str,
    url: str,
    actor: Actor,
    at: datetime,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = servers.TIMEOUT_S,
) -> McpServer:
    """A new server, without tools until it is asked for them. A ref that is taken is refused."""
    actor.must_manage(tenant.pk)
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    if McpServer.objects.filter(tenant=tenant, ref=ref).exists():
        raise McpServerExists(ref)
    server = McpServer(tenant=tenant, ref=ref, url=_clean_url(url), timeout_s=timeout_s, created_at=at, updated_at=at)
    _seal(server, headers or {})
    validation.store(server)
    _record("mcp_server.created", server, actor, at, None, _audit_view(server))
    return server


@transaction.atomic
def save_mcp_server(
    server: McpServer,
    *,
    actor: Actor,
    at: datetime,
    url: str | Unchanged = UNCHANGED,
    headers: Mapping[str, str] | Unchanged = UNCHANGED,
    timeout_s: float | Unchanged = UNCHANGED,
) -> McpServer:
    """Change a server. Headers that are left out stay, an empty object removes them.

    With another URL its tools are gone until it is asked for them anew. Headers never go to another server than they
    were given for: with another one in `url` they must be sent again.
    """
    actor.must_manage(server.tenant_id)
    server = _lock(server)
    before, earlier = _audit_view(server), server.url
    if not isinstance(url, Unchanged) and (cleaned := _clean_url(url)) != server.url:
        server.url = cleaned
        server.tools, server.found, server.left_out, server.protocol = [], None, [], ""
        server.fetched_at = server.accepted_at = None
    if not isinstance(timeout_s, Unchanged):
        server.timeout_s = timeout_s
    if not isinstance(headers, Unchanged):
        _seal(server, headers)
    elif server.header_names and addresses.destination(server.url) != addresses.destination(earlier):
        again = "Send them again, or an empty object to call this server without."
        raise Invalid("The headers were given for another server.", [Problem("headers", again)])
    server.updated_at = at
    validation.store(server, update_fields=_ALL)
    replaced = {} if isinstance(headers, Unchanged) else {"headers_replaced": True}
    _record("mcp_server.saved", server, actor, at, before, _audit_view(server) | replaced)
    return server


def refresh_mcp_server(server: McpServer, *, actor: Actor, at: datetime) -> RefreshedTools:
    """Ask the server for its tools now. The first list is accepted; a later one that differs waits for an admin, and
    until then no flow uses what has changed."""
    actor.must_manage(server.tenant_id)
    target = servers.ready(server)
    if target is None:
        raise Invalid("The headers cannot be read.", [Problem("headers", "Send them again: sealed elsewhere.")])
    # Which version it speaks is found out anew: it may have learned another.
    fetched = listing.fetch(replace(target, protocol=""))
    if fetched.problem:
        return RefreshedTools(server, changes_of(server), fetched.problem)
    return _keep(server, fetched, actor, at)


@transaction.atomic
def accept_mcp_tools(server: McpServer, *, digest: str, actor: Actor, at: datetime) -> McpServer:
    """Let flows use the tools that the server listed last. `digest` names the list that was looked at: another one,
    which somebody fetched since, is not accepted unseen."""
    actor.must_manage(server.tenant_id)
    server = _lock(server)
    if digest != found_digest(server):
        raise McpToolsMoved
    if server.found is None:
        return server
    before = _tools_view(server)
    server.tools, server.found, server.accepted_at = server.found, None, at
    validation.store(server, update_fields=["tools", "found", "accepted_at"])
    _record("mcp_server.tools_accepted", server, actor, at, before, _tools_view(server))
    return server


@transaction.atomic
def delete_mcp_server(server: McpServer, *, actor: Actor, at: datetime) -> None:
    """Remove a server; refused while a live Core calls its tools."""
    actor.must_manage(server.tenant_id)
    server = _lock(server)
    if slugs := references.find_slugs(references.MCP_SERVERS, server.tenant_id, server.ref):
        raise McpServerInUse(slugs)
    _record("mcp_server.deleted", server, actor, at, _audit_view(server), None)
    server.delete()


def changes_of(server: McpServer) -> list[ToolChange]:
    """What the server listed last otherwise than it was accepted."""
    return [] if server.found is None else tool_lists.compare(server.tools, server.found)


def found_digest(server: McpServer) -> str:
    """What names the list that the server gave last."""
    return tool_lists.digest(server.tools if server.found is None else server.found)


@transaction.atomic
def _keep(server: McpServer, fetched: FetchedList, actor: Actor, at: datetime) -> RefreshedTools:
    asked = server
    server = _lock(server)
    if server.url != asked.url:
        raise McpToolsMoved  # somebody has changed the server meanwhile
    tools, is_first = fetched.listed.tools, server.fetched_at is None
    server.left_out, server.protocol, server.fetched_at = fetched.listed.left_out, fetched.protocol, at
    if is_first:
        server.tools, server.accepted_at = tools, at
    server.found = None if tool_lists.digest(tools) == tool_lists.digest(server.tools) else tools
    validation.store(server, update_fields=_ALL)
    changes = changes_of(server)
    after = _tools_view(server) | {"changes": [f"{change.change} {change.name}" for change in changes]}
    _record("mcp_server.refreshed", server, actor, at, None, after)
    return RefreshedTools(server, changes, "")


def _lock(server: McpServer) -> McpServer:
    locked = McpServer.objects.select_for_update().filter(pk=server.pk).first()
    if locked is None:
        raise McpServerNotFound
    return locked


def _clean_url(text: str) -> str:
    return addresses.clean_url(text, field="url", title="The URL is unusable.")


def _seal(server: McpServer, headers: Mapping[str, str]) -> None:
    title = "The headers are unusable."
    if len({name.lower() for name in headers}) < len(headers) or len(headers) > MOST_HEADERS:
        raise Invalid(title, [Problem("headers", f"Send at most {MOST_HEADERS} headers, each name once.")])
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or _OURS.fullmatch(name):
            raise Invalid(title, [Problem("headers", f"{ascii(name)[:100]} is no header that can be set here.")])
        if not _VALUE.fullmatch(value):
            said = f"The value of {name} must be 1 to 4000 printable ASCII characters, on one line."
            raise Invalid(title, [Problem("headers", said)])
    context = servers.headers_context(server.tenant_id, server.ref)
    text = msgspec.json.encode(dict(headers)).decode()
    server.sealed_headers = vault.seal(text, context=context) if headers else None
    server.header_names = sorted(headers)


def _tools_view(server: McpServer) -> dict[str, Any]:
    return {"tools": [tool["name"] for tool in server.tools], "digest": tool_lists.digest(server.tools)[:16]}


def _audit_view(server: McpServer) -> dict[str, Any]:
    return {"url": server.url, "timeout_s": server.timeout_s, "headers": server.header_names}


def _record(
    action: str, server: McpServer, actor: Actor, at: datetime, before: audit.Values, after: audit.Values
) -> None:
    audit.record(action, server.ref, tenant=server.tenant_id, actor=actor, at=at, before=before, after=after)
