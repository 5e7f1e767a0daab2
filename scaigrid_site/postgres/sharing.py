"""Who starts and stops the embedded server: whoever comes first, and whoever ends last.

Each process holds a shared lock on one file while it needs the server. The kernel drops the lock however the process
ends, so a killed process can neither keep the server alive nor take it from the others. Whoever starts or stops holds
a second lock meanwhile, so that two who end at the same moment do not leave it to each other.
"""

from __future__ import annotations

import atexit
import fcntl
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from django.conf import settings
from django.db import connections

from publishing.db import time_limits
from scaigrid_site.postgres.cluster import ANSWER_S, Cluster
from scaigrid_site.postgres.watcher import Watcher

log = logging.getLogger(__name__)

DATABASE: Final = "scaigrid"
# How often, and how far apart, it is looked whether connections that were just closed are gone.
CLOSING_TRIES: Final = 20
CLOSING_PAUSE_S: Final = 0.05

OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


class Share:
    """This process's hold on the server of a data folder."""

    def __init__(self, data: Path) -> None:
        self._cluster = Cluster(data / "postgres")
        self._owner = os.getpid()
        self._users = os.open(data / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._turn = os.open(data / "postgres.turn", os.O_RDWR | os.O_CREAT, 0o600)
        self._watcher = Watcher(self._cluster.is_running, self._start)

    def take(self) -> str:
        """Start the server, or join it where it runs; returns the database's URL. `NotStarted` where neither can be."""
        fcntl.flock(self._users, fcntl.LOCK_SH)
        with self._alone():
            self._cluster.prepare()
        self._start()
        self._make_database()
        return self._cluster.url(DATABASE)

    def watch(self) -> None:
        """Have the server started again when it dies."""
        self._watcher.start()

    def let_go(self) -> None:
        """Stop the server if nobody else needs it."""
        if os.getpid() != self._owner:
            return  # a fork of the process that holds the lock: letting go here would let go for both
        _ignore_signals()
        self._watcher.stop()
        if settings.configured:
            connections.close_all()
        with self._alone():
            if self._is_last() and not self._is_in_use():
                self._cluster.stop()
        os.close(self._users)
        os.close(self._turn)

    def _start(self) -> None:
        with self._alone():
            self._cluster.start()

    def _is_last(self) -> bool:
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _is_in_use(self) -> bool:
        """Whether anybody is connected who was given the URL, not the lock. A server that is silent serves nobody."""
        try:
            with time_limits.limited(ANSWER_S), self._cluster.connect() as connection:
                for _ in range(CLOSING_TRIES):
                    [count] = connection.execute(OTHERS).fetchone() or [0]
                    if count == 0:
                        return False
                    time.sleep(CLOSING_PAUSE_S)
        except psycopg.OperationalError:
            return False
        log.warning("postgres.left_running: %d connections of other programs are open", count)
        return True

    def _make_database(self) -> None:
        with self._cluster.connect() as connection:
            # Two first starts may meet here; the lock makes the second wait instead of fail.
            connection.execute("SELECT pg_advisory_lock(1)")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f'CREATE DATABASE "{DATABASE}"')

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)


_shares: list[Share] = []


def attach(data: Path) -> str:
    """The URL of the embedded database in `data`, which runs from now on until this process ends."""
    data.mkdir(parents=True, exist_ok=True)
    share = Share(data)
    atexit.register(share.let_go)
    _end_on_signals()
    url = share.take()
    _shares.append(share)
    return url


def watch() -> None:
    """Look after the servers that this process is attached to."""
    for share in _shares:
        share.watch()


def _end_on_signals() -> None:
    """A process that a signal ends without its exit hooks would leave the server running."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def _ignore_signals() -> None:
    """From here on an impatient Ctrl-C would only leave the server running."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
