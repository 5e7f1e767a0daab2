"""The server process of a data folder. Its number stands in `postmaster.pid`, and may be another process's by now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

LOOK_EVERY_S = 0.05


def recorded(folder: Path) -> int | None:
    """The number in `postmaster.pid`; None when there is no such file, or nothing to read in it yet."""
    with suppress(OSError, ValueError, IndexError):
        return abs(int((folder / "postmaster.pid").read_text().splitlines()[0]))
    return None


def find(folder: Path) -> psutil.Process | None:
    """The postmaster that serves `folder` now."""
    pid = recorded(folder)
    if not pid or not psutil.pid_exists(pid):
        return None
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return process if _serves(process, folder) else None
    return None


def orphans(folder: Path) -> Iterator[psutil.Process]:
    """Every process of the folder's server, the postmaster included: what a killed postmaster leaves behind."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if _serves(process, folder):
                yield process


def have_ended(processes: list[psutil.Process], *, within_s: float) -> bool:
    """Whether all of them end in time. A zombie has ended: in a container there may be nobody to bury it."""
    until = time.monotonic() + within_s
    while any(map(is_alive, processes)):
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs, or could."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _serves(process: psutil.Process, folder: Path) -> bool:
    """PostgreSQL's processes work inside their data folder."""
    if process.name() != "postgres" or not is_alive(process):
        return False
    try:
        return Path(process.cwd()) == folder
    except psutil.AccessDenied:
        return True  # somebody else's PostgreSQL, under the number that stands in our file: better not disturbed
