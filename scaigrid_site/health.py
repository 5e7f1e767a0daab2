"""Whether this process can answer calls: for load balancers, without a key."""

from __future__ import annotations

import psycopg
from django.http import HttpRequest, JsonResponse

from publishing.db import pool


async def health(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, 503 when it does not; says nothing else."""
    try:
        await pool.rows("SELECT 1", [])
    except psycopg.OperationalError:
        return JsonResponse({"status": "unavailable"}, status=503)
    return JsonResponse({"status": "ok"})
