"""Language models for the flows of one tenant, from any server that speaks OpenAI's chat protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec

from publishing import outbound, providers
from publishing.clients.openai_replies import DONE, ModelReply, refusal
from publishing.clients.sse import EventStream, EventTooLarge
from publishing.outbound import OutboundResponse, Outgoing
from publishing.providers import Provider
from scaicore.services import ModelCall, ModelChoice, ModelEnd, ModelText, ServiceFailed

log = logging.getLogger(__name__)

LONGEST_S: Final = 600.0
MOST_BYTES: Final = 50_000_000
MOST_WHOLE_BYTES: Final = 10_000_000
MOST_EVENT_BYTES: Final = 1_000_000
USAGE_S: Final = 2.0  # how long the usage of an answer that is whole is waited for

JSON: Final = "application/json"
Parts = AsyncGenerator[ModelText | ModelEnd]
Texts = AsyncGenerator[str]


class TenantModelClient:
    """A `scaicore.services.ModelClient`. Providers are looked up at each call, so a change counts from the next one."""

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id

    async def stream(self, call: ModelCall) -> Parts:
        """The answer of the first choice that gives one; after its first token there is no other."""
        until = _now() + min(call.timeout_s or LONGEST_S, LONGEST_S)
        known = await providers.find(self._tenant_id, {choice.ref for choice in call.choices})
        failed = ServiceFailed("unconfigured")
        for choice in call.choices:
            has_begun = False
            try:
                async with aclosing(_answer(known.get(choice.ref), choice, call, until)) as parts:
                    async for part in parts:
                        has_begun = True
                        yield part
                return
            except ServiceFailed as error:
                failed = error
                log.warning("model.failed tenant=%s %r: %s", self._tenant_id, choice, error.reason)
            if has_begun or failed.reason == "rejected":
                break
        raise failed


async def _answer(provider: Provider | None, choice: ModelChoice, call: ModelCall, until: float) -> Parts:
    """One choice's answer, or a failure."""
    if provider is None:
        raise ServiceFailed("unconfigured")
    request = _request(provider, choice, call)
    first = min(until, _now() + provider.timeout_s)
    async with outbound.answered(request, hosts=provider.hosts, until=first, most_bytes=MOST_BYTES) as answer:
        if reason := refusal(answer.status):
            raise ServiceFailed(reason)
        reply = ModelReply()
        parts = (
            _whole(answer, reply, first) if answer.kind == JSON else _streamed(answer, reply, first, provider, until)
        )
        async with aclosing(parts) as texts:
            async for text in texts:
                yield ModelText(text)
        yield reply.end()


async def _whole(answer: OutboundResponse, reply: ModelReply, until: float) -> Texts:
    """The text of an answer in one piece, by a server that does not stream."""
    text = reply.take(await answer.read(until, MOST_WHOLE_BYTES))
    reply.take(DONE)
    if reply.end() and text:
        yield text


async def _streamed(
    answer: OutboundResponse, reply: ModelReply, first: float, provider: Provider, until: float
) -> Texts:
    """The texts of a stream. Only data ends a silence: comments may go on for ever."""
    events = EventStream(MOST_EVENT_BYTES)
    patience = first
    while not reply.is_done:
        try:
            piece = await answer.piece(min(patience, until))
            found = events.rest() if piece is None else events.feed(piece)
            for data in found:
                is_open = reply.finish_reason is None
                if text := reply.take(data):
                    yield text
                if is_open:
                    patience = _now() + (provider.timeout_s if reply.finish_reason is None else USAGE_S)
        except EventTooLarge:
            raise ServiceFailed("too_large") from None
        except ServiceFailed:
            if reply.finish_reason is None:
                raise
            return  # the answer was whole; only its usage is lost
        if piece is None:
            return
    await answer.drain()


def _request(provider: Provider, choice: ModelChoice, call: ModelCall) -> Outgoing:
    ours = {"model": choice.model, "messages": call.messages, "stream": True, "stream_options": {"include_usage": True}}
    headers = {"content-type": JSON, "accept": f"text/event-stream, {JSON}"}
    if provider.api_key:
        headers["authorization"] = f"Bearer {provider.api_key}"
    try:
        body = msgspec.json.encode({**call.params, **ours})
    except (TypeError, ValueError):
        raise ServiceFailed("rejected") from None
    return outbound.outgoing("POST", provider.base_url.rstrip("/") + "/chat/completions", headers, body)


def _now() -> float:
    return asyncio.get_running_loop().time()
