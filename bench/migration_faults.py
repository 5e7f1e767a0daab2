"""A new version starts and changes the tables that every call uses, while the one before it serves and reports run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import DEVNULL

import psycopg
from django.db import connection

from bench import servers
from bench.callers import calling
from bench.database_faults import surfaces_of

NEXT = "bench.next_version.settings"
REPORT_S = 5.0  # from where the migration begins to wait for it: longer than it waits at once
MOST_S = 60.0
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'"
STEADY_S = 2.0


def run(key: str) -> None:
    """Serve, migrate, serve on; a broken promise ends with an error."""
    with servers.running(servers.start_site(log=DEVNULL)) as before:
        old = surfaces_of(before, key)
        with calling(old) as calls, _report() as waited:
            time.sleep(STEADY_S)
            began = time.monotonic()
            after = servers.start_site(log=DEVNULL, DJANGO_SETTINGS_MODULE=NEXT)
            took_s = time.monotonic() - began
            with servers.running(after) as url, calling(surfaces_of(url, key)) as newer:
                time.sleep(STEADY_S)
            time.sleep(STEADY_S)
    assert _is_migrated(), "nothing was migrated"
    assert waited, "the migration met no report"
    print(
        f"migrated under load in {took_s:.1f} s, {waited[0]:.1f} s of it behind a report; the version before: {calls}"
    )
    print(f"    the new version: {newer}")
    for tally in (calls, newer):
        refused = {status for _, _, _, status in tally.calls} - {200, 302}
        assert not refused, f"calls ended with {refused}"


@contextmanager
def _report() -> Iterator[list[float]]:
    """A long look at the tables, as a report or a dump takes one, until the migration has waited for it too long. How
    long that was is in the list at the end."""
    waited: list[float] = []
    with psycopg.connect(**connection.get_connection_params()) as reader:
        reader.execute("SELECT count(*) FROM publishing_core, identity_apikey")
        thread = threading.Thread(target=_end_behind, args=[reader, waited])
        thread.start()
        yield waited
        thread.join()


def _end_behind(reader: psycopg.Connection, waited: list[float]) -> None:
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as watch:
        until = time.monotonic() + MOST_S
        while time.monotonic() < until and not watch.execute(WAITING).fetchone():
            time.sleep(0.05)
        began = time.monotonic()
        time.sleep(REPORT_S)
        reader.commit()
        waited.append(time.monotonic() - began)


def _is_migrated() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM information_schema.columns WHERE column_name = 'to_come' LIMIT 1")
        return cursor.fetchone() is not None
