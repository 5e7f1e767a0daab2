"""One JSON-RPC request to an MCP server and its answer, which comes as JSON or among server-sent events.

The server is not trusted: its address is checked, and so is each redirect; what it sends is bounded in time and size;
only the answer to the request counts, and everything else that comes in a stream is passed over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final, NamedTuple

import msgspec

from publishing import outbound, strict_json
from publishing.clients.sse import EventStream, EventTooLarge
from publishing.mcp.servers import McpTarget
from publishing.outbound import OutboundResponse
from scaicore.masking import Mask
from scaicore.services import Reason, ServiceFailed

MOST_BYTES: Final = 4_000_000
LONGEST_SAID: Final = 300
_STATUSES: Final[dict[int, Reason]] = {
    401: "denied",
    402: "denied",
    403: "denied",
    404: "missing",
    405: "missing",
    410: "missing",
    429: "rate_limited",
    503: "overloaded",
}


class RpcError(ServiceFailed):
    """The server refused the request in the words of JSON-RPC."""

    def __init__(self, number: int, said: str) -> None:
        super().__init__("rejected", said=said)
        self.number = number


class RpcReply(NamedTuple):
    """The result of a request, and the headers that it came with."""

    result: dict[str, Any]
    headers: Mapping[str, str]


async def ask(
    target: McpTarget, method: str, params: Mapping[str, Any], headers: Mapping[str, str], until: float
) -> RpcReply:
    """The result of one request. `until`: the loop time after which it is too late. Raises ServiceFailed."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with outbound.answered(
        _request("POST", target, headers, message), hosts=target.hosts, until=until, most_bytes=MOST_BYTES
    ) as answer:
        found = await _find_answer(answer, target, until)
        return RpcReply(found, dict(answer.headers))


async def tell(target: McpTarget, method: str, headers: Mapping[str, str], until: float) -> None:
    """Send a notification; what the server answers to it does not matter."""
    message = {"jsonrpc": "2.0", "method": method}
    async with outbound.answered(
        _request("POST", target, headers, message), hosts=target.hosts, until=until, most_bytes=MOST_BYTES
    ) as answer:
        await answer.drain()


async def end(target: McpTarget, headers: Mapping[str, str], until: float) -> None:
    """End a session; what the server answers to that does not matter."""
    async with outbound.answered(
        _request("DELETE", target, headers, None), hosts=target.hosts, until=until, most_bytes=MOST_BYTES
    ) as answer:
        await answer.drain()


def _request(
    method: str, target: McpTarget, headers: Mapping[str, str], message: Mapping[str, Any] | None
) -> outbound.Outgoing:
    # The protocol's own names stand last: a header of the tenant's must not make two out of one.
    own = {name.lower(): value for name, value in target.headers.items()}
    sent = own | {"accept": "application/json, text/event-stream"} | dict(headers)
    body = None if message is None else msgspec.json.encode(message)
    return outbound.outgoing(method, target.url, sent | ({"content-type": "application/json"} if body else {}), body)


async def _find_answer(answer: OutboundResponse, target: McpTarget, until: float) -> dict[str, Any]:
    mask = Mask(target.headers.values())
    if answer.kind == "text/event-stream" and answer.status == 200:
        async with aclosing(_events(answer, until)) as events:
            async for data in events:
                message = _read(data)
                if _is_answer(message):
                    return _result(message, mask)
        raise ServiceFailed("upstream_failed", said="the stream ended without an answer")
    body = await answer.read(until, MOST_BYTES)
    message = _read(body) if answer.kind == "application/json" else None
    # A refusal in the protocol's words says more than its status does.
    if isinstance(message, dict) and (_is_answer(message) or "error" in message):
        return _result(message, mask)
    if answer.status != 200:
        default: Reason = "upstream_failed" if answer.status >= 500 or answer.status < 400 else "rejected"
        raise ServiceFailed(_STATUSES.get(answer.status, default), said=f"status {answer.status}")
    raise ServiceFailed("upstream_failed", said="what came is no answer to the request")


async def _events(answer: OutboundResponse, until: float) -> AsyncGenerator[bytes]:
    events = EventStream(MOST_BYTES)
    while (piece := await answer.piece(until)) is not None:
        try:
            for data in events.feed(piece):
                yield data
        except EventTooLarge:
            raise ServiceFailed("too_large") from None
    for data in events.rest():
        yield data


def _read(data: bytes) -> Any:
    if not data.strip():
        return None
    try:
        return strict_json.loads(data)
    except strict_json.InvalidJson:
        raise ServiceFailed("upstream_failed", said="what came is no JSON that can be used") from None


def _is_answer(message: Any) -> bool:
    """Whether it answers the one request that was sent."""
    is_message = isinstance(message, dict) and message.get("id") == 1 and message.get("id") is not True
    return is_message and "method" not in message and ("result" in message or "error" in message)


def _result(message: dict[str, Any], mask: Mask) -> dict[str, Any]:
    error = message.get("error")
    if error is not None:
        named = error if isinstance(error, dict) else {}
        number, said = named.get("code"), named.get("message")
        text = mask.text(said)[:LONGEST_SAID] if isinstance(said, str) else ""
        raise RpcError(number if isinstance(number, int) else 0, text)
    result = mask.value(message["result"])
    if not isinstance(result, dict):
        raise ServiceFailed("upstream_failed", said="the result is no object")
    return result
