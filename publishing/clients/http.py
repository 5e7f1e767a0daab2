"""HTTP requests for the flows of one tenant, and the secrets that they name."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import httpx2

from publishing import outbound, vault
from publishing.clients import spans
from publishing.db import pool
from scaicore.services import HttpAnswer, HttpCall, ServiceFailed

log = logging.getLogger(__name__)

LONGEST_S: Final = 300.0
MOST_BYTES: Final = 10_000_000

FIND = "SELECT sealed FROM publishing_secret WHERE tenant_id = %s AND name = %s"


class TenantHttpClient:
    """A `scaicore.services.HttpClient`. Secrets are looked up at each use, so a change counts from the next one."""

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id

    async def send(self, call: HttpCall) -> HttpAnswer:
        """The answer, whatever its status; its redirects are followed, three at most."""
        until = asyncio.get_running_loop().time() + min(call.timeout_s, LONGEST_S)
        request = outbound.outgoing(call.method.upper(), _url(call), call.headers, call.body)
        with spans.http_call(request.method, request.url.host) as span:
            async with outbound.answered(
                request, hosts=outbound.listed(), until=until, most_bytes=MOST_BYTES
            ) as answer:
                span.note({"http.response.status_code": answer.status})
                return HttpAnswer(answer.status, answer.headers, await answer.read(until, MOST_BYTES))

    async def secret(self, ref: str) -> str:
        """The tenant's secret of this name."""
        rows = await pool.rows(FIND, [self._tenant_id, ref])
        if not rows:
            raise ServiceFailed("unconfigured")
        try:
            return vault.unseal(rows[0][0], context=secret_context(self._tenant_id, ref))
        except vault.Unreadable:
            log.error("secret.unreadable tenant=%s name=%s: sealed under another SECRET_KEY", self._tenant_id, ref)
            raise ServiceFailed("unconfigured") from None


def secret_context(tenant_id: str, name: str) -> str:
    """What a secret is sealed for: the row that holds it."""
    return f"secret {tenant_id} {name}"


def _url(call: HttpCall) -> str:
    """The URL with the call's own query behind what it has already."""
    if not call.query:
        return call.url
    try:
        return str(httpx2.URL(call.url).copy_merge_params(call.query))
    except (httpx2.InvalidURL, ValueError):
        raise ServiceFailed("refused_address") from None
