"""Which errors say that the database is away, and in which words the log speaks of them."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import DatabaseError, connection

from publishing.db import outages
from tests.support.serving import ROOT, database_url, free_port


def raised(state: str) -> psycopg.Error:
    """What psycopg raises when a statement ends with this SQLSTATE."""
    with psycopg.connect(database_url()) as database, pytest.raises(psycopg.Error) as caught:
        database.execute(f"DO $$ BEGIN RAISE EXCEPTION 'somebody@example.com' USING ERRCODE = '{state}'; END $$")
    return caught.value


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("53100", "the disk of the database server is full (53100)"),
        ("53200", "the database server is out of memory (53200)"),
        ("53300", "the database server takes no more connections (53300)"),
        ("53400", "the database server is short of resources (53400)"),
        ("25006", "the database is read-only: it is a replica, or has become one (25006)"),
        ("57P01", "the database server is being stopped (57P01)"),
        ("58030", "the database server cannot use its files (58030)"),
        ("40P01", "two changes stood in each other's way (40P01)"),
        ("08006", "the connection broke (08006)"),
    ],
)
def test_an_outage_is_named_by_its_sqlstate_and_never_in_the_databases_words(db: None, state: str, cause: str) -> None:
    error = raised(state)
    assert outages.is_outage(error)
    assert outages.explain(error) == cause


@pytest.mark.parametrize("state", ["22021", "23505", "42P01", "54001", "XX000"])
def test_what_is_wrong_with_a_statement_is_no_outage(db: None, state: str) -> None:
    assert not outages.is_outage(raised(state))


def test_djangos_errors_are_known_by_what_they_were_raised_from(db: None) -> None:
    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '25006'; END $$")
    assert outages.is_outage(caught.value)
    assert "read-only" in outages.explain(caught.value)


@pytest.fixture
def role(transactional_db: None) -> Iterator[str]:
    """A role that may not hold a connection."""
    name = f"nobody_{secrets.token_hex(4)}"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE ROLE "{name}" LOGIN CONNECTION LIMIT 0')
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f'DROP ROLE "{name}"')


def refused(url: str) -> str:
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(url)
    assert outages.is_outage(caught.value)
    return outages.explain(caught.value)


def test_a_connection_that_is_refused_is_named_by_its_reason(role: str) -> None:
    url = urlsplit(database_url())
    assert refused(url._replace(path="/none").geturl()) == "the database that DATABASE_URL names does not exist"
    assert refused(url._replace(netloc="none@").geturl()) == "the database does not let this role or this address in"
    assert refused(url._replace(netloc=f"{role}@").geturl()) == "the database server takes no more connections"
    nobody = "nothing listens at the address of the database"
    assert refused("postgresql://localhost:1/x") == nobody
    assert refused("postgresql:///x?host=/nowhere") == nobody
    assert refused("postgresql://no.such.host.invalid/x") == "the host name of the database is not known"


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["create_api_key", "--user", "a@b", "--name", "x"]])
def test_a_command_without_its_database_ends_with_one_sentence(command: list[str]) -> None:
    environment = {"DATABASE_URL": "postgresql://localhost:1/x", "SECRET_KEY": "x", "PORT": str(free_port())}
    ended = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    sentence = "The database that DATABASE_URL names cannot be used: nothing listens at the address of the database.\n"
    assert (ended.returncode, ended.stderr) == (1, sentence)
