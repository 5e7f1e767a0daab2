"""Django's PostgreSQL backend, with connections that give up when the request's time for the database is over."""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from django.utils.asyncio import async_unsafe
from psycopg.abc import PQGen, PQGenConn

from publishing.db import time_limits
from publishing.db.time_limits import DatabaseSilent

Result = TypeVar("Result")

# psycopg asks its generators for the next step this often.
INTERVAL_S = 0.1


class TimedConnection(psycopg.Connection[Any]):
    """A connection that obeys `time_limits.limited`. Once it has waited too long it is closed."""

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[TimedConnection]:
        limit = time_limits.current()
        if limit is None:
            return (yield from super()._connect_gen(conninfo))
        with limit.waiting() as deadline:
            return (yield from time_limits.until(deadline, super()._connect_gen(conninfo)))

    def wait(self, gen: PQGen[Result], interval: float = INTERVAL_S, timeout: float | None = None) -> Result:
        """What `gen` gives; every statement, commit and fetch waits here."""
        limit = time_limits.current()
        if limit is None:
            return super().wait(gen, interval, timeout)
        try:
            with limit.waiting() as deadline:
                return super().wait(time_limits.until(deadline, gen), interval, timeout)
        except DatabaseSilent:
            # Not `close`, and no cancelling: neither may wait for the server once more.
            self.pgconn.finish()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    """What `ENGINE` names."""

    def get_connection_params(self) -> dict[str, Any]:
        """Django's parameters, and for a request the server's own time limit, so that nothing runs on there."""
        params: dict[str, Any] = super().get_connection_params()
        # A first host that is silent leaves time for the next one.
        hosts = str(params.get("host", "")).count(",") + 1
        params.setdefault("connect_timeout", max(2, int(settings.DATABASE_TIMEOUT_S / hosts)))
        limit = time_limits.current()
        if limit is not None:
            timeout_ms = max(1, int(limit.left_s * 1000))
            params["options"] = f"{params.get('options', '')} -c statement_timeout={timeout_ms}".strip()
        return params

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> TimedConnection:
        """A new connection, in Django's default isolation."""
        self.isolation_level = IsolationLevel.READ_COMMITTED
        return TimedConnection.connect(**conn_params)
