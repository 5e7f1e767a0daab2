"""JSON-RPC as MCP speaks it: one message in the body of a request, one in its answer.

RpcRefused
├── NoRequest            it is JSON, but neither one request nor one notification
├── MethodUnknown        a method that this server does not have, or not in that version
├── ParamsInvalid        the params of the method are not usable, or name a tool that cannot be called
├── HeadersMismatch      the headers say something else than the body
└── VersionUnsupported   a version of the protocol that is not spoken here
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple

from chatapi import responses
from chatapi.call_headers import NO_HEADERS
from chatapi.errors import BodyInvalid, ChatError
from chatapi.responses import JSON, Whole, render_json
from publishing import strict_json

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
INTERNAL_ERROR: Final = -32603
LONGEST_SHOWN: Final = 200  # characters of what a caller sent


class RpcRefused(Exception):
    """A message that is refused: a number of the protocol's, a sentence, and the status of the answer.

    `status` is the one of today's version; the older ones answer 200 to whatever was read as a request.
    """

    number: ClassVar[int]
    status: ClassVar[int] = 400

    def __init__(self, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class NoRequest(RpcRefused):
    """It is JSON, but neither one request nor one notification."""

    number = INVALID_REQUEST


class MethodUnknown(RpcRefused):
    """A method that this server does not have, or not in that version."""

    number = -32601
    status = 404


class ParamsInvalid(RpcRefused):
    """The params of the method are not usable, or name a tool that cannot be called."""

    number = -32602


class HeadersMismatch(RpcRefused):
    """The headers say something else than the body."""

    number = -32020


class VersionUnsupported(RpcRefused):
    """A version of the protocol that is not spoken here."""

    number = -32022


class RpcMessage(NamedTuple):
    """A request, or a notification, which has no `id` and gets no result."""

    id: str | int | None
    method: str
    params: dict[str, Any]

    @property
    def meta(self) -> dict[str, Any]:
        """What the protocol says beside the params."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


def read_message(body: bytes) -> RpcMessage:
    """The one message in a body; `BodyInvalid` where it is no JSON, `NoRequest` for anything else."""
    try:
        raw = strict_json.loads(body)
    except strict_json.InvalidJson as error:
        raise BodyInvalid(str(error)) from None
    if not isinstance(raw, dict) or raw.get("jsonrpc") != "2.0" or not isinstance(raw.get("method"), str):
        raise NoRequest("Send one JSON-RPC request or notification as an object, not several and no response.")
    params = raw.get("params", {})
    if not isinstance(params, dict):
        raise NoRequest("The params of a request must be an object.")
    number = raw.get("id")
    if "id" in raw and (isinstance(number, bool) or not isinstance(number, (str, int))):
        raise NoRequest("The id of a request must be a text or a whole number.")
    return RpcMessage(number, raw["method"], params)


def render_result(
    message: RpcMessage, result: Mapping[str, Any], request_id: str, headers: Mapping[str, str] = NO_HEADERS
) -> Whole:
    """The answer to a request that was served."""
    return render_json({"jsonrpc": "2.0", "id": message.id, "result": result}, request_id, headers=headers)


def render_accepted(request_id: str) -> Whole:
    """The answer to a notification."""
    return Whole(202, JSON | {"x-request-id": request_id}, b"")


def render_failure(error: Exception, message: RpcMessage | None, request_id: str, *, has_status: bool = True) -> Whole:
    """The answer to a request that is refused: by the protocol, or as the chat refuses its calls.

    `has_status`: whether the HTTP status says so as well, or is 200 because a request was read.
    """
    if isinstance(error, RpcRefused):
        status = error.status if has_status or message is None else 200
        return _render(error.number, error.message, error.data, message, request_id, status=status)
    refusal = responses.refusal_for(error, request_id)
    data = {"code": refusal.code}
    return _render(
        _number_of(refusal), refusal.message, data, message, request_id, status=refusal.status, headers=refusal.headers
    )


def _number_of(refusal: ChatError) -> int:
    if isinstance(refusal, BodyInvalid):
        return PARSE_ERROR
    return INVALID_REQUEST if refusal.status < 500 else INTERNAL_ERROR


def _render(
    number: int,
    text: str,
    data: Mapping[str, Any] | None,
    message: RpcMessage | None,
    request_id: str,
    *,
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Whole:
    error = {"code": number, "message": text} | ({"data": dict(data)} if data else {})
    value = {"jsonrpc": "2.0", "id": message.id if message else None, "error": error}
    return render_json(value, request_id, status=status, headers=headers)
