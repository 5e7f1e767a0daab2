"""Whether this process lives and can answer calls: for load balancers and container platforms.

Asked in front of Django: without a key, under any host name, on no thread that a slow request might hold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from chatapi.asgi_types import App, Receive, Scope, Send
from identity import ids
from publishing.db import outages, pool

# A server that took over from a failed one may only be read from until it is promoted; nothing can be counted there.
PROBE: Final = "SELECT current_setting('transaction_read_only') = 'on'"

OK: Final = (200, "ok")
UNAVAILABLE: Final = (503, "unavailable")
DRAINING: Final = (503, "draining")


class Health:
    """An ASGI application that answers `/healthz`, `/healthz/live` and `/healthz/ready` and hands on the rest."""

    def __init__(self, app: App, is_draining: Callable[[], bool]) -> None:
        self._app = app
        self._is_draining = is_draining
        self._probes: dict[str, Callable[[], Awaitable[tuple[int, str]]]] = {
            "/healthz": database,
            "/healthz/live": self._live,
            "/healthz/ready": self._ready,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        probe = self._probes.get(scope["path"].rstrip("/")) if scope["type"] == "http" else None
        if probe is None:
            await self._app(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await _answer(send, *await probe())
        else:
            await _answer(send, 405, "method not allowed")

    async def _live(self) -> tuple[int, str]:
        """The process runs; never asks the database, whose trouble no restart of ours would end."""
        return OK

    async def _ready(self) -> tuple[int, str]:
        """New calls are welcome."""
        return DRAINING if self._is_draining() else await database()


async def database() -> tuple[int, str]:
    """Whether the database answers, and takes changes."""
    try:
        [(is_read_only,)] = await pool.rows(PROBE, [])
    except Exception as error:
        if not outages.is_outage(error):
            raise
        return UNAVAILABLE
    return UNAVAILABLE if is_read_only else OK


async def _answer(send: Send, status: int, word: str) -> None:
    body = msgspec.json.encode({"status": word})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-request-id", ids.new("req").encode()),
        *([(b"allow", b"GET, HEAD")] if status == 405 else []),
        *([(b"retry-after", b"1")] if status == 503 else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
