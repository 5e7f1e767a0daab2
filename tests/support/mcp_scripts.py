"""An MCP server that misbehaves, for the scripted server of the tests: what it answers to each method."""

from __future__ import annotations

import json
from typing import Any

from tests.support.mcp_server import answered
from tests.support.upstream_wire import Script, Seen, Wire

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}}


def speaking(**methods: Any) -> Script:
    """A server that shakes hands and then answers by these: results, or scripts. `__` in a name stands for `/`."""
    named = {name.replace("__", "/"): value for name, value in methods.items()}

    async def script(wire: Wire, seen: Seen) -> None:
        if seen.method == "DELETE":
            await wire.whole(200, b"")
            return
        method = seen.json["method"]
        found = named.get(method, {"initialize": HELLO}.get(method))
        if callable(found):
            await found(wire, seen)
        elif seen.json.get("id") is None:
            await wire.whole(202, b"")
        elif found is None:
            await wire.whole(400, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "Not here."}}')
        else:
            await wire.whole(200, _encoded(answered(found)), mcp_session_id="session-7")

    return script


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()
