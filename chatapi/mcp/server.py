"""One request of MCP, from a key, headers and a body to an answer. Knows no web framework, and keeps nothing.

The way inside: key, message, version, method. A call of a tool is a call of its model: `calls` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatapi import auth
from chatapi.errors import ChatError
from chatapi.mcp import calls, messages, tools, versions
from chatapi.mcp.calls import ToolCaller
from chatapi.mcp.messages import MethodUnknown, RpcMessage
from chatapi.responses import Frames, Whole
from publishing.registry import AccessDecision


async def answer(
    authorization: str | None, headers: Mapping[str, str], body: bytes, *, request_id: str
) -> Whole | Frames:
    """The answer to one `POST /mcp`. `headers` by lower-case name; never raises but on cancellation."""
    message, is_alone = None, True
    try:
        decision = await auth.identify(authorization)  # a stranger learns nothing about the body
        message = messages.read_message(body)
        is_alone = versions.stands_alone(message, headers)
        if message.id is None:
            return messages.render_accepted(request_id)
        if is_alone:
            versions.check_alone(message, headers)
        if message.method == "tools/call":
            caller = ToolCaller(authorization, decision.tenant_id or "", headers, body, request_id, is_alone=is_alone)
            return await calls.call(caller, message)
        return messages.render_result(message, await _serve(decision, message, is_alone=is_alone), request_id)
    except Exception as error:
        return messages.render_failure(error, message, request_id, has_status=is_alone)


async def refuse(authorization: str | None, error: ChatError, *, request_id: str) -> Whole:
    """The answer to a request whose headers were enough to refuse it; the key is checked first all the same."""
    try:
        await auth.identify(authorization)
    except Exception as earlier:
        return messages.render_failure(earlier, None, request_id)
    return messages.render_failure(error, None, request_id)


async def _serve(decision: AccessDecision, message: RpcMessage, *, is_alone: bool) -> dict[str, Any]:
    match message.method, is_alone:
        case "tools/list", _:
            listed = await tools.list_tools(decision.key_id or "", message.params)
            return listed | (versions.UNCACHED if is_alone else {})
        case "server/discover", True:
            return versions.discover()
        case "initialize", False:
            return versions.shake_hands(message.params)
        case "ping", False:
            return {}
    raise MethodUnknown("This server has no such method, or not in this version of the protocol.")
