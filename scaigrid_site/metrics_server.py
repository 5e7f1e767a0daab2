"""The metrics, for Prometheus alone: on an address of their own, answered by a thread of the process that serves.

With several processes each writes its counts into files of a folder, which the first one reads at each scrape. What a
process that no longer lives said about *now* goes; what it counted stays.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final, cast

import psutil
from django.core.management import CommandError
from prometheus_client import REGISTRY, CollectorRegistry, Metric, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_LIVE: Final = re.compile(r"gauge_live\w+_(\d+)\.db")


def start(address: str, *, workers: int) -> None:
    """Answer scrapes at `address` (`host:port`) from now on. To be called before the processes are started."""
    folder = _make_folder() if workers > 1 else None
    registry: CollectorRegistry = REGISTRY
    if folder is not None:
        registry = CollectorRegistry()
        registry.register(cast("Collector", LiveProcesses(folder)))
    host, _, port = address.rpartition(":")
    try:
        start_http_server(int(port), host.strip("[]"), registry)
    except OSError:
        raise CommandError(f"METRICS_ADDRESS={address} cannot be served on. Choose another.") from None


class LiveProcesses:
    """The counts of all processes, and what those say of now that still live."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: Any = MultiProcessCollector(None, path=str(folder))  # type: ignore[no-untyped-call]

    def collect(self) -> list[Metric]:
        """The metrics as they are now."""
        for path in self._folder.glob("gauge_live*.db"):
            found = _LIVE.fullmatch(path.name)
            if found and not _lives(int(found[1])):
                path.unlink(missing_ok=True)
        return list(self._all.collect())


def _lives(pid: int) -> bool:
    """Whether a process still runs; one that was killed may wait to be noticed by its parent."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _make_folder() -> Path:
    """An empty folder, which ends with this process; the processes that it starts find it by their environment."""
    folder = Path(tempfile.mkdtemp(prefix="scaigrid-metrics-"))
    os.environ[FOLDER] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
