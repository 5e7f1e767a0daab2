"""Nobody waits for the database longer than the limit, whatever it does. A whole outage: test_database_away."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections

from publishing.db import time_limits
from publishing.db.pool import Pool
from publishing.db.postgresql.base import TimedConnection
from publishing.db.time_limits import DatabaseSilent
from tests.support.serving import database_url


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_all_statements_of_a_request_share_its_time(db: None) -> None:
    with TimedConnection.connect(database_url(), autocommit=True) as connection:
        with time_limits.limited(0.5):
            connection.execute("SELECT pg_sleep(0.3)")
            with pytest.raises(DatabaseSilent):
                connection.execute("SELECT pg_sleep(0.3)")
        assert connection.closed


def test_a_command_waits_as_long_as_it_takes(db: None) -> None:
    with time_limits.limited(0.1):
        pass
    with TimedConnection.connect(database_url()) as connection:
        assert connection.execute("SELECT pg_sleep(0.3) IS NULL").fetchone() == (False,)


def test_a_statement_that_is_given_up_does_not_run_on_in_the_server(db: None) -> None:
    wrapper = connections["default"].copy()
    with time_limits.limited(0.5), wrapper.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        [shown] = cursor.fetchone()
    wrapper.close()
    assert shown.endswith("ms")
    assert 0 < int(shown.removesuffix("ms")) <= 500


def test_a_server_that_says_nothing_to_a_new_connection_is_given_up(silent_port: int) -> None:
    with time_limits.limited(0.2), pytest.raises(DatabaseSilent):
        TimedConnection.connect(host="127.0.0.1", port=silent_port, dbname="x")


def test_a_first_host_that_says_nothing_leaves_time_for_the_second(db: None, silent_port: int) -> None:
    wrapper = connections["default"].copy()
    options = wrapper.settings_dict["OPTIONS"]
    wrapper.settings_dict["OPTIONS"] = options | {"host": f"127.0.0.1,{options['host']}", "port": f"{silent_port},5432"}
    with time_limits.limited(30), wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    wrapper.close()


async def test_the_wait_for_a_connection_and_the_statement_share_one_limit(
    monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    parameters = {"host": "127.0.0.1", "port": silent_port, "dbname": "x"}
    monkeypatch.setattr("publishing.db.pool._parameters", lambda: parameters)
    pool = Pool(1, 0.2)
    # The second and third wait for the only turn first.
    outcomes = await asyncio.gather(*(pool.rows("SELECT 1", []) for _ in range(3)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DatabaseSilent}
    assert pool.in_use == 0


async def test_a_pool_goes_on_after_a_statement_that_took_too_long(transactional_db: None) -> None:
    pool = Pool(2, 0.3)
    with pytest.raises(psycopg.OperationalError):
        await pool.rows("SELECT pg_sleep(30)", [])
    assert await pool.rows("SELECT 1", []) == [(1,)]
    pool.close()


async def test_a_caller_who_leaves_keeps_no_turn_and_breaks_no_connection(transactional_db: None) -> None:
    pool = Pool(1, 30)
    leaving = asyncio.create_task(pool.rows("SELECT pg_sleep(30)", []))
    waiting = asyncio.create_task(pool.rows("SELECT 1", []))
    await asyncio.sleep(0.1)
    leaving.cancel()
    assert await waiting == [(1,)]
    assert pool.in_use == 0
    pool.close()
