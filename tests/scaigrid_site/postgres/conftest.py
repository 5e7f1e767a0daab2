"""Embedded servers of the tests' own, in folders of their own: they are stopped, killed and suspended."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from scaigrid_site.postgres import Cluster, postmaster


@pytest.fixture
def cluster(data: Path) -> Iterator[Cluster]:
    """A cluster whose server does not run yet; stopped at the end."""
    cluster = Cluster(data / "postgres")
    yield cluster
    cluster.stop()
    for process in postmaster.orphans(cluster.folder):
        process.kill()


@pytest.fixture
def stranger() -> Iterator[psutil.Process]:
    """A process that has nothing to do with databases."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield psutil.Process(process.pid)
        process.kill()


def server_of(cluster: Cluster) -> psutil.Process:
    """The running postmaster."""
    found = postmaster.find(cluster.folder)
    assert found is not None
    return found


def suspend(processes: list[psutil.Process]) -> None:
    """Stop them where they stand, but for those that have ended meanwhile."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()


def leave_pid_file(cluster: Cluster, number: int) -> None:
    """What a server leaves that a power cut ended, when its number is another process's by now."""
    lines = [str(number), str(cluster.folder), "1700000000", "5432", str(cluster.folder), "", "1 1", "ready   "]
    (cluster.folder / "postmaster.pid").write_text("\n".join(lines) + "\n")
    (cluster.folder / ".s.PGSQL.5432.lock").write_text("\n".join(lines[:5]) + "\n")
