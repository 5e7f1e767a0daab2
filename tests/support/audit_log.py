"""The audit log as somebody finds it who owns the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def past_the_triggers() -> Iterator[None]:
    """Let entries be changed and removed, which the database refuses to everybody else."""
    link_entries()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = DEFAULT")


def link_entries() -> None:
    """What the end of a transaction does: a test's own never ends."""
    connection.check_constraints()
