"""The page that load balancers ask."""

from __future__ import annotations

import psycopg
import pytest
import requests
from django.http import HttpRequest

from publishing.db import pool
from scaigrid_site.health import health
from tests.support.serving import Server


def test_a_server_with_its_database_is_healthy_without_a_key(lean_server: Server) -> None:
    answer = requests.get(f"{lean_server.url}/healthz", timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_server_whose_database_is_away_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise psycopg.OperationalError

    monkeypatch.setattr(pool, "rows", away)
    answer = await health(HttpRequest())
    assert (answer.status_code, answer.content) == (503, b'{"status": "unavailable"}')
