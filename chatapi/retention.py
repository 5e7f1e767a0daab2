"""What is kept for a while only: traces, and the answers kept for Idempotency-Keys. Every process may prune."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, NoReturn

import psycopg
from django.conf import settings

from publishing.db import pool
from publishing.models import Partition

log = logging.getLogger(__name__)

EVERY_S: Final = 3600.0
KEY_HOURS: Final = 24

TRACES = "DELETE FROM chatapi_runtrace WHERE at < now() - make_interval(days => %s)"
KEYS = """
WITH old AS (
    SELECT id FROM publishing_entity
    WHERE partition = %s AND updated_at < now() - make_interval(hours => %s) AND lease IS NULL
), turns AS (DELETE FROM publishing_turn WHERE entity_id IN (SELECT id FROM old))
DELETE FROM publishing_entity WHERE id IN (SELECT id FROM old)
"""


async def prune() -> None:
    """Remove what is older than it is kept."""
    await pool.rows(TRACES, [settings.TRACE_DAYS])
    await pool.rows(KEYS, [Partition.CALL.value, KEY_HOURS])


async def prune_for_ever() -> NoReturn:
    """Prune now and every hour."""
    while True:
        try:
            await prune()
        except psycopg.Error:
            log.warning("prune.failed: it is tried again in an hour")
        await asyncio.sleep(EVERY_S)
