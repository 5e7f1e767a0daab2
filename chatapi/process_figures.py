"""What is true of this process now, shown to its operator once a second: no call pays for a gauge."""

from __future__ import annotations

import asyncio
from typing import Final, NoReturn

from chatapi import admission, open_streams, usage
from publishing.db import pool
from publishing.process.metrics import Metrics

EVERY_S: Final = 1.0


async def show_for_ever(metrics: Metrics) -> NoReturn:
    """Show the figures again and again."""
    while True:
        show(metrics)
        await asyncio.sleep(EVERY_S)


def show(metrics: Metrics) -> None:
    """Show the figures of the running loop."""
    running, waiting = admission.figures()
    connections = pool.current()
    metrics.show(
        runs_running=running,
        runs_waiting=waiting,
        streams_open=open_streams.count_all(),
        database_connections_in_use=connections.in_use,
        database_connections_idle=connections.idle,
        usage_rows_waiting=usage.count_waiting(),
    )
