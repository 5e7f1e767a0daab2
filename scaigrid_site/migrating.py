"""Missing migrations, applied by one process at a time and never in the way of calls for long.

Several processes may start at once, and others may serve meanwhile. A change of a table waits for those who use it, and
everybody who comes behind waits for the change: so it waits one second, lets the others through, and tries again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from psycopg import errors

log = logging.getLogger(__name__)

# Any number will do, as long as nobody else in this database takes the same.
LOCK: Final = 5_741_203_998
LOOK_S: Final = 0.5
LOCK_TIMEOUT: Final = "1s"
PAUSE_S: Final = 2.0
WAIT_S: Final = 300.0


class MigrationsBlocked(Exception):
    """The migrations could not be applied in time; the message says what was in the way."""


def migrate(*, wait_s: float = WAIT_S) -> None:
    """Apply what is missing, or wait until another process has; `MigrationsBlocked` when neither ends in time."""
    if not _is_due():
        return
    until = time.monotonic() + wait_s
    with _alone(until):
        while _is_due():
            try:
                _apply()
            except OperationalError as error:
                if not isinstance(error.__cause__, errors.LockNotAvailable):
                    raise
                if time.monotonic() >= until:
                    raise MigrationsBlocked("A migration waits for a table that others keep in use.") from None
                log.warning("migrations.waiting: a table is in use; trying again in %d s", PAUSE_S)
                time.sleep(PAUSE_S)


def _is_due() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _apply() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
        try:
            call_command("migrate", verbosity=0, interactive=False)
        finally:
            connection.close()  # and with it the setting, also where a statement failed


@contextmanager
def _alone(until: float) -> Iterator[None]:
    """While no other process migrates. The lock is a transaction's, which a pooler in between leaves in one piece."""
    guard = connection.copy()
    try:
        guard.set_autocommit(False)
        while not _take(guard):
            if time.monotonic() >= until:
                raise MigrationsBlocked("Another process is applying migrations, and has not ended.")
            time.sleep(LOOK_S)
        yield
    finally:
        guard.close()


def _take(guard: BaseDatabaseWrapper) -> bool:
    with guard.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        taken: bool = cursor.fetchone()[0]
    return taken
