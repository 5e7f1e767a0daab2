"""Looks after a server that others depend on: starts it again when it has died, a bounded number of times."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from scaigrid_site.postgres.cluster import NotStarted

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.25
MOST_ATTEMPTS: Final = 5
# A server that ran this long has recovered: its next death is counted anew.
CALM_S: Final = 60.0


class Watcher:
    """Asks `is_running` from a thread of its own, and calls `start` when the answer is no."""

    def __init__(self, is_running: Callable[[], bool], start: Callable[[], None]) -> None:
        self._is_running = is_running
        self._start = start
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="postgres-watcher", daemon=True)
        self._attempts = 0
        self._attempted_at = 0.0

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; an attempt that is under way is finished first."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        # Each attempt waits twice as long as the one before.
        while not self._stopping.wait(LOOK_EVERY_S * 2.0**self._attempts):
            if not self._is_running():
                self._try()
            elif time.monotonic() > self._attempted_at + CALM_S:
                self._attempts = 0

    def _try(self) -> None:
        if self._attempts == MOST_ATTEMPTS:
            return
        self._attempts += 1
        self._attempted_at = time.monotonic()
        log.error("postgres.died: it is started again, attempt %d of %d", self._attempts, MOST_ATTEMPTS)
        try:
            self._start()
        except NotStarted as error:
            log.error("postgres.not_started: %s", error)
            if self._attempts == MOST_ATTEMPTS:
                log.error("postgres.given_up: it is not tried again; the next manage.py command starts it")
