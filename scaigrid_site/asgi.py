"""The ASGI entry: the chat's fast path in front of Django, and what must start and stop with the server."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from typing import cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scaigrid_site.settings")
django_application = get_asgi_application()

from django.conf import settings  # noqa: E402  what follows needs the apps that the line above loaded
from django.utils.module_loading import import_string  # noqa: E402

from chatapi import process_figures, retention, usage  # noqa: E402
from chatapi.asgi import ChatFastPath  # noqa: E402
from chatapi.asgi_types import App, Receive, Scope, Send  # noqa: E402
from chatapi.schedules import Scheduler  # noqa: E402
from publishing import outbound  # noqa: E402
from publishing.db import pool, time_limits  # noqa: E402
from publishing.process import metrics, tracing  # noqa: E402
from scaicore import tokens  # noqa: E402
from scaigrid_site.draining import Draining  # noqa: E402
from scaigrid_site.health import Health  # noqa: E402
from scaigrid_site.http.body_limit import BodyLimit  # noqa: E402
from scaigrid_site.http.observed import AccessLines, Traced  # noqa: E402
from scaigrid_site.http.program_handler import ByAudience, ProgramHandler  # noqa: E402
from scaigrid_site.http.request_guard import RequestGuard  # noqa: E402

FLUSH_S = 5.0
LAST_WORDS_S = 2.0


class Lifespan:
    """Opens what every call shares before the first one comes, and writes out what is left after the last."""

    def __init__(self, app: App, draining: Draining) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        tokens.warm()
        # What is here now stays for as long as the process: no collection need look at it again.
        gc.collect()
        gc.freeze()
        self._draining.take_signals()
        scheduler = Scheduler()
        for_ever = [retention.prune_for_ever(), scheduler.run_for_ever()]
        if settings.METRICS_ADDRESS:
            for_ever.append(process_figures.show_for_ever(metrics.activate()))
        stop_tracing = _start_tracing()
        tasks = [asyncio.create_task(work) for work in for_ever]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in tasks:
            task.cancel()
        await self._draining.finish(LAST_WORDS_S)
        await scheduler.finish(settings.DRAIN_S)
        await _stop()
        await asyncio.wait({asyncio.create_task(asyncio.to_thread(stop_tracing))}, timeout=FLUSH_S)
        await send({"type": "lifespan.shutdown.complete"})


def _start_tracing() -> Callable[[], None]:
    """Trace where that is wanted; what sends the last spans."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return lambda: None
    backend = import_string("scaigrid_site.opentelemetry_spans.OpenTelemetry")()
    tracing.activate(backend)
    return cast("Callable[[], None]", backend.stop)


async def _stop() -> None:
    await asyncio.wait({asyncio.create_task(usage.flush())}, timeout=FLUSH_S)
    await outbound.close()
    await pool.close()


async def django_in_time(scope: Scope, receive: Receive, send: Send) -> None:
    """Django, whose requests wait for the database no longer than the chat does."""
    with time_limits.limited(settings.DATABASE_TIMEOUT_S):
        await cast("App", django_application)(scope, receive, send)


site = BodyLimit(ByAudience(cast("App", ProgramHandler()), django_in_time), most=settings.MAX_BODY_BYTES)
calls: App = RequestGuard(ChatFastPath(site) if settings.LEAN_DOOR else site)
if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
    calls = Traced(calls)
if settings.ACCESS_LOG:
    calls = AccessLines(calls)
draining = Draining(calls, longest_s=settings.DRAIN_S)
application = Lifespan(Health(draining, lambda: draining.has_begun), draining)
