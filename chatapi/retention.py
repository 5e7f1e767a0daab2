"""What is kept for a while only: traces, stored answers, usage records where the operator wants that, the answers
kept for Idempotency-Keys, and how often passwords were tried. Every process may prune."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, NoReturn

import psycopg
from django.conf import settings

from chatapi import traces
from chatapi.daily_usage import pruning
from chatapi.responses_api import stored_responses
from chatapi.stored_completions import stored_completions
from identity.sign_in import throttle
from publishing import memory
from publishing.db import pool

log = logging.getLogger(__name__)

EVERY_S: Final = 3600.0


async def prune() -> None:
    """Remove what is older than it is kept."""
    await pool.rows(traces.PRUNE, [settings.TRACE_DAYS])
    for statement in (stored_responses.PRUNE, stored_completions.PRUNE):
        await pool.rows(statement, [settings.STORED_DAYS])
    await memory.forget_old_keys()
    await pool.rows(throttle.PRUNE, [])
    if settings.USAGE_DAYS:
        await pruning.prune(settings.USAGE_DAYS)


async def prune_for_ever() -> NoReturn:
    """Prune now and every hour."""
    while True:
        try:
            await prune()
        except psycopg.Error:
            log.warning("prune.failed: it is tried again in an hour")
        await asyncio.sleep(EVERY_S)
