"""Migrations at a start: whoever else starts or serves meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from django.db import OperationalError, connection
from psycopg import errors, sql

from scaigrid_site import migrating
from tests.support.serving import ROOT, await_port, free_port

EMPTY = "scaigrid_empty"


@pytest.fixture
def empty_url(db: None) -> Iterator[str]:
    """The URL of a database without a table."""
    here = urlsplit(os.environ["DATABASE_URL"])
    name = f"{EMPTY}_{os.getpid()}"
    create, drop = sql.SQL("CREATE DATABASE {}"), sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    known = {key: parameters[key] for key in ("host", "port", "user", "password", "dbname") if parameters.get(key)}
    with psycopg.connect(**known, autocommit=True) as server:
        server.execute(drop.format(sql.Identifier(name)))
        server.execute(create.format(sql.Identifier(name)))
        yield here._replace(path=f"/{name}").geturl()
        server.execute(drop.format(sql.Identifier(name)))


def test_processes_that_start_at_once_on_an_empty_database_all_serve(empty_url: str) -> None:
    ports = [free_port() for _ in range(3)]
    started = [
        subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=os.environ | {"PORT": str(port), "DATABASE_URL": empty_url, "LOG_LEVEL": "WARNING"},
        )
        for port in ports
    ]
    try:
        for port, process in zip(ports, started, strict=True):
            await_port(port, process)
            assert requests.get(f"http://127.0.0.1:{port}/healthz/ready", timeout=20).status_code == 200
    finally:
        for process in started:
            process.terminate()
        assert [process.wait(40) for process in started] == [0, 0, 0]


@pytest.fixture
def due(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether something is missing, look by look."""
    looks = [True, True, True, False]
    monkeypatch.setattr(migrating, "_is_due", lambda: looks.pop(0) if looks else False)
    monkeypatch.setattr(migrating, "PAUSE_S", 0.0)
    return looks


def blocked(*_: Any, **__: Any) -> None:
    raise OperationalError from errors.LockNotAvailable()


def test_a_table_in_use_is_waited_for_without_holding_others_up(
    transactional_db: None, due: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Any] = [blocked, lambda *_, **__: None]
    limits: list[str] = []

    def applied(*given: Any, **named: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            limits.append(cursor.fetchone()[0])
        tries.pop(0)(*given, **named)

    monkeypatch.setattr(migrating, "call_command", applied)
    migrating.migrate()
    assert (tries, limits) == ([], ["1s", "1s"])
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone()[0] == "0"


def test_a_table_that_stays_in_use_is_told(
    transactional_db: None, due: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "call_command", blocked)
    with pytest.raises(migrating.MigrationsBlocked, match="others keep in use"):
        migrating.migrate(wait_s=0.0)


def test_another_process_that_migrates_is_waited_for(
    transactional_db: None, due: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(migrating, "call_command", lambda *_, **__: done.append("migrated"))
    other = connection.copy()
    other.set_autocommit(False)
    assert migrating._take(other)
    with pytest.raises(migrating.MigrationsBlocked, match="has not ended"):
        migrating.migrate(wait_s=0.0)
    due[:] = [True, False]  # the other one has applied them meanwhile
    monkeypatch.setattr(migrating.time, "sleep", lambda _: other.close())
    migrating.migrate()
    assert (done, due) == ([], [])


def test_nothing_is_locked_where_nothing_is_missing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "_alone", lambda until: pytest.fail("a lock"))
    migrating.migrate()
