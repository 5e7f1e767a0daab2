"""What poolers do not pass on is set on the database itself."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.support.serving import database_url


@pytest.fixture
def untuned(transactional_db: None) -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" RESET plan_cache_mode')


def mode() -> object:
    """What a connection gets that asks for nothing."""
    with psycopg.connect(database_url()) as plain:
        row = plain.execute("SHOW plan_cache_mode").fetchone()
    return row[0] if row else None


def test_a_connection_that_asks_for_nothing_plans_once(untuned: None) -> None:
    assert mode() == "auto"
    call_command("tune_database")
    assert mode() == "force_generic_plan"
    call_command("tune_database")


def test_who_does_not_own_the_database_is_told_so(untuned: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS nobody_in_particular")
        cursor.execute("CREATE ROLE nobody_in_particular")
        try:
            cursor.execute("SET ROLE nobody_in_particular")
            with pytest.raises(CommandError, match="Only the owner"):
                call_command("tune_database")
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE nobody_in_particular")
    assert mode() == "auto"
