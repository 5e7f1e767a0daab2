"""An MCP server of somebody else's, made with the official SDK, in a process of its own: `running()`. It takes both
ways of the protocol, the older one with sessions and streams."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from tests.support.serving import ROOT, await_port, free_port

SERVER = MCPServer("weather", log_level="ERROR")


@SERVER.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@SERVER.tool(annotations=ToolAnnotations(title="Weather"))
def weather(city: str) -> str:
    """Says what the weather is like in a city."""
    return f"It rains in {city}."


@SERVER.tool()
def fails(why: str) -> str:
    """Always fails."""
    raise ToolError(why)


@contextmanager
def running() -> Iterator[str]:
    """Its URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.support.mcp_server", str(port)], cwd=ROOT)
    try:
        await_port(port, process)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(timeout=20)


def answered(result: dict[str, Any], number: Any = 1) -> dict[str, Any]:
    """A JSON-RPC answer."""
    return {"jsonrpc": "2.0", "id": number, "result": result}


def tool(name: str = "say", **more: Any) -> dict[str, Any]:
    """A tool as a server lists it."""
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    return {"name": name, "description": "Says something.", "inputSchema": schema} | more


if __name__ == "__main__":
    SERVER.run(transport="streamable-http", port=int(sys.argv[1]))
