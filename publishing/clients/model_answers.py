"""One answer of one model: asked in the way that its server takes, read whatever form it comes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, NamedTuple

import msgspec

from publishing import outbound
from publishing.clients import model_quirks as quirks
from publishing.clients.model_quirks import Remembered
from publishing.clients.model_refusals import ProviderRefused, clean, read_refusal
from publishing.clients.model_requests import request_body
from publishing.clients.openai_replies import DONE, ModelReply
from publishing.clients.sse import EventStream, EventTooLarge
from publishing.outbound import OutboundResponse, Outgoing
from publishing.process import tracing
from publishing.providers import Provider, chat_url
from scaicore.services import ModelCall, ModelPart, ModelRefusal, ModelText, ServiceFailed, ToolCallPart

MOST_BYTES: Final = 50_000_000
MOST_WHOLE_BYTES: Final = 10_000_000
MOST_EVENT_BYTES: Final = 1_000_000
MOST_REFUSAL_BYTES: Final = 100_000
MOST_TRIES: Final = 8  # servers name one refused field at a time
USAGE_S: Final = 2.0  # how long the usage of an answer that is whole is waited for

JSON: Final = "application/json"
_BLANK: Final = b" \t\r\n"
_MARK: Final = b"\xef\xbb\xbf"
Parts = AsyncGenerator[ModelPart]


class Question(NamedTuple):
    """A call of one model. `refused` collects the fields that its server did not take, and what it said of them."""

    tenant: str
    ref: str
    model: str
    provider: Provider
    call: ModelCall
    until: float
    refused: list[tuple[str, str]]


async def answer(question: Question) -> Parts:
    """The parts of the answer. What the server refuses of the request is left out, and remembered once that helped.

    Raises ServiceFailed when there is no answer, or when it breaks off.
    """
    asked = question.provider.options
    key = Remembered(question.tenant, question.ref, question.provider.base_url, question.model)
    options = quirks.recall(key, asked)
    tried = {options}
    while True:
        has_begun = False
        body = request_body(question.model, question.call, options)
        try:
            async with aclosing(_attempt(question, body, ModelReply(options, takes_calls="tools" in body))) as parts:
                async for part in parts:
                    has_begun = has_begun or isinstance(part, ModelText | ModelRefusal | ToolCallPart)
                    yield part
            quirks.learn(key, asked, options)
            return
        except ProviderRefused as refused:
            failure = refused.failure(question.provider.api_key)
            changed = None if has_begun else quirks.adapt(options, refused, body)
            if changed is None or changed in tried or len(tried) == MOST_TRIES:
                raise failure from None
            question.refused.append((quirks.difference(options, changed), failure.said))
            options = changed
            tried.add(options)


async def _attempt(question: Question, body: dict[str, object], reply: ModelReply) -> Parts:
    """The answer to one request. Raises ProviderRefused when the server says that it does not answer this."""
    provider = question.provider
    first = min(question.until, _now() + provider.timeout_s)
    request = _request(provider, body)
    async with outbound.answered(request, hosts=provider.hosts, until=first, most_bytes=MOST_BYTES) as response:
        if not 200 <= response.status < 300:
            raise read_refusal(response.status, response.headers, await _refusal_body(response, first))
        opening = await _opening(response, first)
        if opening.startswith(b"<"):
            raise ServiceFailed("upstream_failed", said=clean(opening[:300].decode(errors="replace"), provider.api_key))
        is_whole = opening.startswith((b"{", b"["))
        parts = (
            _whole(response, reply, opening, first)
            if is_whole
            else _streamed(response, reply, opening, question, first)
        )
        async with aclosing(parts) as found:
            async for part in found:
                yield part
    for part in reply.finish():
        yield part


async def _opening(response: OutboundResponse, until: float) -> bytes:
    """The first bytes that say what the answer is, whatever its header says: JSON, a stream, or a page."""
    opening = b""
    while not opening and (piece := await response.piece(until)) is not None:
        opening = piece.removeprefix(_MARK).lstrip(_BLANK)
    return opening


async def _refusal_body(response: OutboundResponse, until: float) -> bytes:
    """As much of a refusal as can be had: its status says enough."""
    try:
        return await response.read(until, MOST_REFUSAL_BYTES)
    except ServiceFailed:
        return b""


async def _whole(response: OutboundResponse, reply: ModelReply, opening: bytes, until: float) -> Parts:
    """The parts of an answer in one piece, or of one with a piece on each line."""
    body = opening + await response.read(until, MOST_WHOLE_BYTES)
    for data in _lines(body):
        for part in reply.take(data):
            yield part
    reply.take(DONE)


def _lines(body: bytes) -> list[bytes]:
    lines = [line for line in body.splitlines() if line.strip()]
    return (
        lines
        if len(lines) > 1 and all(line.startswith(b'{"') and line.rstrip().endswith(b"}") for line in lines)
        else [body]
    )


async def _streamed(
    response: OutboundResponse, reply: ModelReply, opening: bytes, question: Question, patience: float
) -> Parts:
    """The parts of a stream. Only data ends a silence: comments may go on for ever."""
    events = EventStream(MOST_EVENT_BYTES)
    timeout_s = question.provider.timeout_s
    piece: bytes | None = opening
    while not reply.is_done:
        try:
            has_data, is_open = False, reply.finish_reason is None
            for data in events.rest() if piece is None else events.feed(piece):
                has_data = True
                for part in reply.take(data):
                    yield part
            if has_data and is_open:
                patience = _now() + (timeout_s if reply.finish_reason is None else USAGE_S)
            if piece is None:
                return
            if not reply.is_done:
                piece = await response.piece(min(patience, question.until))
        except EventTooLarge:
            raise ServiceFailed("too_large") from None
        except (ServiceFailed, ProviderRefused):
            if reply.finish_reason is None:
                raise
            return  # the answer was whole; only its usage is lost
    await response.drain()


def _request(provider: Provider, body: dict[str, object]) -> Outgoing:
    headers = {"content-type": JSON, "accept": f"text/event-stream, {JSON}", **tracing.headers()}
    if provider.api_key:
        headers["authorization"] = f"Bearer {provider.api_key}"
    try:
        content = msgspec.json.encode(body)
    except (TypeError, ValueError):
        raise ServiceFailed("rejected") from None
    return outbound.outgoing("POST", chat_url(provider.base_url), headers, content)


def _now() -> float:
    return asyncio.get_running_loop().time()
