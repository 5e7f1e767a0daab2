"""Fetching the list of a server's tools, page by page."""

from __future__ import annotations

import asyncio
from typing import Any, Final, NamedTuple

from publishing import outbound
from publishing.mcp import sessions, tool_lists
from publishing.mcp.servers import McpTarget
from publishing.mcp.sessions import McpSession
from publishing.mcp.tool_lists import MOST_TOOLS, ToolList
from scaicore.errors import REASONS
from scaicore.services import ServiceFailed

LONGEST_S: Final = 30.0
MOST_PAGES: Final = 50


class FetchedList(NamedTuple):
    """The list and the version in which it was asked for; or the problem, as a sentence for the tenant's admins."""

    listed: ToolList
    protocol: str
    problem: str = ""


def fetch(target: McpTarget) -> FetchedList:
    """Ask the server for its tools. Blocks until it is done, half a minute at most, in an event loop of its own."""
    return asyncio.run(_fetched(target))


async def _fetched(target: McpTarget) -> FetchedList:
    until = asyncio.get_running_loop().time() + LONGEST_S
    try:
        async with sessions.opened(target, until) as session:
            return FetchedList(await _list(session), session.protocol)
    except ServiceFailed as failed:
        said = f" The server said: {failed.said}" if failed.said else ""
        return FetchedList(ToolList([], []), "", f"{REASONS[f'service_{failed.reason}']}{said}")
    finally:
        await outbound.close()


async def _list(session: McpSession) -> ToolList:
    found: list[Any] = []
    cursor, seen = None, set[str]()
    for _ in range(MOST_PAGES):
        page = await session.ask("tools/list", {} if cursor is None else {"cursor": cursor})
        tools = page.get("tools")
        if not isinstance(tools, list):
            raise ServiceFailed("upstream_failed", said="the list of tools is none")
        found += tools
        if len(found) > MOST_TOOLS:
            raise ServiceFailed("too_large", said=f"it lists more than {MOST_TOOLS} tools")
        cursor = page.get("nextCursor")
        if cursor is None:
            return tool_lists.read(found)
        if not isinstance(cursor, str) or cursor in seen:
            break
        seen.add(cursor)
    raise ServiceFailed("upstream_failed", said="its list of tools has no end")
