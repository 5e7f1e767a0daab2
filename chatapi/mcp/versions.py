"""The versions of MCP: those that begin with a handshake, and the one whose requests stand alone.

No version keeps a session here. In the older ones a client shakes hands and then sends its requests by themselves; in
today's each request says in its headers and its `_meta` what the handshake said.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from chatapi.mcp.messages import LONGEST_SHOWN, HeadersMismatch, ParamsInvalid, RpcMessage, VersionUnsupported

HANDSHAKE: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
ALONE: Final = ("2026-07-28",)
META: Final = "io.modelcontextprotocol"
VERSION_KEY: Final = f"{META}/protocolVersion"
CAPABILITIES_KEY: Final = f"{META}/clientCapabilities"
SERVER: Final = {"name": "scaigrid-publish", "title": "ScaiGrid Publish", "version": "0.1.0"}
# Clients that keep tools are told to ask again each time: who may call what is decided afresh.
COMPLETE: Final = {"resultType": "complete"}
UNCACHED: Final = {**COMPLETE, "ttlMs": 0, "cacheScope": "private"}
_INSTRUCTIONS: Final = "Each tool is a published model: it answers the message that it is given."
_CAPABILITIES: Final[dict[str, dict[str, Any]]] = {"tools": {}}
# Encoded as today's version says for names that no header can carry.
_BEGIN, _END = "=?base64?", "?="


def stands_alone(message: RpcMessage, headers: Mapping[str, str]) -> bool:
    """Whether this is a request of today's version; `VersionUnsupported` for a version that nobody knows.

    A notification of any version is taken as it comes.
    """
    named = headers.get("mcp-protocol-version")
    if named in ALONE or VERSION_KEY in message.meta:
        return True
    if named is None or named in HANDSHAKE or message.method == "initialize":
        return False
    raise _unsupported(named)


def check_alone(message: RpcMessage, headers: Mapping[str, str]) -> None:
    """Refuse a request of today's version whose `_meta` and headers lack something, or differ."""
    missing = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if key not in message.meta]
    if missing:
        raise ParamsInvalid(f"`params._meta` lacks {' and '.join(f'`{key}`' for key in missing)}.")
    version = message.meta[VERSION_KEY]
    expected = {"mcp-protocol-version": version, "mcp-method": message.method}
    if message.method == "tools/call" and isinstance(message.params.get("name"), str):
        expected["mcp-name"] = message.params["name"]
    for name, value in expected.items():
        if _decode(headers.get(name)) != value:
            raise HeadersMismatch(f"The header `{name}` does not say what the body says.")
    if version not in ALONE:
        raise _unsupported(version)


def shake_hands(params: Mapping[str, Any]) -> dict[str, Any]:
    """The result of `initialize`: the client's version if it is spoken here, else the newest with a handshake."""
    wanted = params.get("protocolVersion")
    if not isinstance(wanted, str):
        raise ParamsInvalid("`protocolVersion` must name a version, such as `2025-11-25`.")
    return {
        "protocolVersion": wanted if wanted in HANDSHAKE else HANDSHAKE[-1],
        "capabilities": _CAPABILITIES,
        "serverInfo": SERVER,
        "instructions": _INSTRUCTIONS,
    }


def discover() -> dict[str, Any]:
    """The result of `server/discover`."""
    return UNCACHED | {
        "supportedVersions": [*ALONE],
        "capabilities": _CAPABILITIES,
        "instructions": _INSTRUCTIONS,
        "_meta": {f"{META}/serverInfo": SERVER},
    }


def _unsupported(version: Any) -> VersionUnsupported:
    requested = version[:LONGEST_SHOWN] if isinstance(version, str) else None
    return VersionUnsupported(
        "This version of the protocol is not spoken here.",
        {"supported": [*ALONE, *reversed(HANDSHAKE)], "requested": requested},
    )


def _decode(value: str | None) -> str | None:
    if value is None or not (value.startswith(_BEGIN) and value.endswith(_END)):
        return value
    try:
        return base64.b64decode(value[len(_BEGIN) : -len(_END)], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
