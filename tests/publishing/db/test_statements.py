"""A connection that prepares what it sends: values of every kind, errors, and a server that goes away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from publishing.db.pool import Pool
from publishing.db.statements import StatementConnection, array_text
from publishing.db.time_limits import DatabaseSilent
from tests.support.serving import database_url

PID = "SELECT pg_backend_pid()"


@pytest_asyncio.fixture
async def connection(transactional_db: None) -> AsyncIterator[StatementConnection]:
    made = await StatementConnection.connect({"conninfo": database_url(), "autocommit": True})
    yield made
    made.close()


@pytest_asyncio.fixture
async def pool(transactional_db: None) -> AsyncIterator[Pool]:
    made = Pool(2, 20)
    yield made
    made.close()


def soon() -> float:
    return time.monotonic() + 20


async def test_values_go_in_and_come_back_as_psycopg_has_them(connection: StatementConnection) -> None:
    values = {
        "text": "Grüße %s",
        "number": 7,
        "big": 2**40,
        "none": None,
        "json": Jsonb({"a": [1, None]}),
        "raw": b"\0",
    }
    statement = """
    SELECT %(text)s::text, %(number)s::int, %(big)s::bigint, %(none)s::text, %(json)s::jsonb, %(raw)s::bytea,
           '100 %%'::text, %(text)s::text
    """
    for _ in range(2):
        [row] = await connection.rows(statement, values, soon())
        assert row == ("Grüße %s", 7, 2**40, None, {"a": [1, None]}, b"\0", "100 %", "Grüße %s")


async def test_a_value_that_is_none_once_and_a_text_the_next_time_is_taken(connection: StatementConnection) -> None:
    for value in (None, "x", 1, 2**40, None, "x"):
        assert await connection.rows("SELECT %s", [value], soon()) == [(value,)]


async def test_a_statement_is_prepared_once(connection: StatementConnection) -> None:
    for number in range(3):
        await connection.rows("SELECT %s::int + 1", [number], soon())
    counted = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%+ 1'"
    assert await connection.rows(counted, [], soon()) == [(1,)]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))), st.lists(st.binary()))
def test_an_array_arrives_as_it_was(db: None, texts: list[str], datas: list[bytes]) -> None:
    with psycopg.connect(database_url(), autocommit=True) as connection:
        arrays = [array_text(texts), array_text(datas)]
        assert connection.execute("SELECT %s::text[], %s::bytea[]", arrays).fetchone() == (texts, datas)


async def test_more_than_the_socket_takes_at_once_goes_out_and_comes_back(connection: StatementConnection) -> None:
    text = "0123456789abcdef" * 1_000_000
    assert await connection.rows("SELECT %s::text, length(%s)", [text, text], soon()) == [(text, len(text))]


async def test_an_error_is_psycopgs_own_and_the_connection_goes_on(connection: StatementConnection) -> None:
    for wrong in ("SELECT 1 / %s", "SELECT 1 / %s FROM nothing"):
        with pytest.raises(psycopg.Error) as caught:
            await connection.rows(wrong, [0], soon())
        assert caught.value.sqlstate in ("22012", "42P01")
        assert connection.is_at_rest
    assert await connection.rows("SELECT 1", [], soon()) == [(1,)]


async def test_a_value_that_cannot_be_sent_leaves_the_connection_as_it_was(connection: StatementConnection) -> None:
    with pytest.raises(psycopg.DataError):
        await connection.rows("SELECT %s::text", ["a\0b"], soon())
    assert connection.is_at_rest


async def test_a_silent_server_is_given_up_and_its_connection_is_of_no_use(connection: StatementConnection) -> None:
    with pytest.raises(DatabaseSilent):
        await connection.rows("SELECT pg_sleep(30)", [], time.monotonic() + 0.2)
    assert not connection.is_at_rest


async def test_a_server_process_that_ends_is_known_before_the_next_statement(connection: StatementConnection) -> None:
    [[pid]] = await connection.rows(PID, [], soon())
    other = await StatementConnection.connect({"conninfo": database_url(), "autocommit": True})
    await other.rows("SELECT pg_terminate_backend(%s)", [pid], soon())
    other.close()
    async with asyncio.timeout(20):
        while connection.is_open:  # noqa: ASYNC110  libpq tells nobody
            await asyncio.sleep(0.01)
    connection.close()


async def test_a_server_process_that_ends_in_the_middle_is_an_outage(connection: StatementConnection) -> None:
    with pytest.raises(psycopg.OperationalError):
        await connection.rows("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)", [], soon())


async def test_a_caller_who_leaves_as_the_answer_comes_leaves_no_name_behind(connection: StatementConnection) -> None:
    task = asyncio.create_task(connection.rows("SELECT 1", [], soon()))
    while connection._answer is None or not connection._answer.done():  # noqa: ASYNC110  the very turn of the loop
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.is_at_rest
    for _ in range(2):
        assert await connection.rows("SELECT 2", [], soon()) == [(2,)]


FORGETTING: list[tuple[str, Any]] = [
    ("what was prepared is gone", "DEALLOCATE ALL"),
    ("its table has another type now", "ALTER TABLE told ALTER COLUMN value TYPE text"),
]


@pytest.mark.parametrize("change", [change for _, change in FORGETTING], ids=[name for name, _ in FORGETTING])
async def test_a_statement_that_the_server_forgot_is_prepared_anew(pool: Pool, change: str) -> None:
    await pool.rows("CREATE TABLE IF NOT EXISTS told (value int)", [])
    try:
        await pool.rows("INSERT INTO told VALUES (%s)", [1])
        assert await pool.rows("SELECT value FROM told", []) == [(1,)]
        await pool.rows(change, [])
        assert [str(value) for [value] in await pool.rows("SELECT value FROM told", [])] == ["1"]
    finally:
        await pool.rows("DROP TABLE told", [])
