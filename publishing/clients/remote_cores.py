"""Calls of the Cores whose program lives elsewhere: signed, checked like everything that leaves, and bounded."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from publishing import outbound, vault
from publishing.clients import spans
from publishing.clients.model_refusals import status_reason
from publishing.clients.refusal_bodies import retry_after
from publishing.clients.remote_replies import DONE, RemoteReply
from publishing.clients.sse import EventStream, EventTooLarge
from publishing.db import pool
from publishing.outbound import OutboundResponse, Outgoing
from publishing.process import tracing
from scaicore import jsondata
from scaicore.services import RemoteCall, RemoteEnd, RemoteText, ServiceFailed

log = logging.getLogger(__name__)

MOST_BYTES: Final = 20_000_000
MOST_EVENT_BYTES: Final = 4_000_000  # the memory is at most 1 MiB of it

JSON: Final = "application/json"
STREAM: Final = "text/event-stream"
FIND: Final = "SELECT sealed_secret FROM publishing_core WHERE id = %s AND tenant_id = %s"


class TenantRemoteClient:
    """A `scaicore.services.RemoteClient`. Secrets are looked up at each call, so a change counts from the next one."""

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id

    async def stream(self, call: RemoteCall) -> AsyncGenerator[RemoteText | RemoteEnd]:
        """The texts as they come, then the end. All of it takes no longer than the call's `timeout_s`."""
        until = asyncio.get_running_loop().time() + call.timeout_s
        secret = await self._secret(call.core_id)
        with spans.remote_call(call.core_id, call.url):
            async with aclosing(_reply(_request(call, secret), until)) as parts:
                async for part in parts:
                    yield part

    async def _secret(self, core_id: str) -> str:
        """The text that signs the Core's calls; empty when they are not signed."""
        rows = await pool.rows(FIND, [core_id, self._tenant_id])
        if not rows:
            raise ServiceFailed("unconfigured")
        try:
            return (
                "" if rows[0][0] is None else vault.unseal(rows[0][0], context=secret_context(self._tenant_id, core_id))
            )
        except vault.Unreadable:
            log.error("remote.unreadable core=%s: its secret was sealed under another SECRET_KEY", core_id)
            raise ServiceFailed("unconfigured") from None


def secret_context(tenant_id: str, core_id: str) -> str:
    """What the secret of a Core is sealed for: the row that holds it."""
    return f"core {tenant_id} {core_id}"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of `X-Scai-Signature`: HMAC-SHA256 over the timestamp, a full stop and the body."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _request(call: RemoteCall, secret: str) -> Outgoing:
    body, timestamp = jsondata.encode(call.body).encode(errors="replace"), str(int(call.at))
    headers = {"content-type": JSON, "accept": f"{STREAM}, {JSON}", "x-scai-timestamp": timestamp}
    headers |= tracing.headers()
    if secret:
        headers["x-scai-signature"] = signature(secret, timestamp, body)
    return outbound.outgoing("POST", call.url, headers, body)


async def _reply(request: Outgoing, until: float) -> AsyncGenerator[RemoteText | RemoteEnd]:
    reply = RemoteReply()
    async with outbound.answered(request, hosts=outbound.listed(), until=until, most_bytes=MOST_BYTES) as answer:
        if reason := status_reason(answer.status):
            raise ServiceFailed(reason, said=str(answer.status), retry_after_s=retry_after(answer.headers))
        async with aclosing(_data(answer, until)) as found:
            async for data in found:
                if text := reply.take(data):
                    yield RemoteText(text)
                if reply.end is not None:
                    break
        if reply.end is None:
            raise ServiceFailed("upstream_failed")
        await answer.drain()
    yield reply.end


async def _data(answer: OutboundResponse, until: float) -> AsyncGenerator[bytes]:
    """The JSON texts in the answer: one where it is whole, one for each event where it is a stream."""
    if answer.kind == JSON:
        yield await answer.read(until, MOST_EVENT_BYTES)
    elif answer.kind == STREAM:
        async with aclosing(_events(answer, until)) as events:
            async for data in events:
                yield data
    else:
        raise ServiceFailed("upstream_failed")


async def _events(answer: OutboundResponse, until: float) -> AsyncGenerator[bytes]:
    events, is_open = EventStream(MOST_EVENT_BYTES), True
    while is_open:
        piece = await answer.piece(until)
        is_open = piece is not None
        try:
            for data in events.rest() if piece is None else events.feed(piece):
                if data.strip() == DONE:
                    return
                yield data
        except EventTooLarge:
            raise ServiceFailed("too_large") from None
