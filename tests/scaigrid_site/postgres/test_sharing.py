"""The embedded database under real servers and commands: who starts it, who starts it again, who stops it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import psutil

from scaigrid_site.postgres import Cluster
from tests.scaigrid_site.conftest import Start, eventually, manage, postgres_processes
from tests.scaigrid_site.postgres.conftest import leave_pid_file, server_of


def started(command: subprocess.Popen[str]) -> None:
    """Wait until the command has a database."""
    assert command.stderr is not None
    assert any("postgres.started" in line for line in command.stderr)


def test_a_database_that_is_killed_under_a_running_server_is_started_again(start: Start, data: Path) -> None:
    site = start()
    assert site.status() == 401
    server_of(Cluster(data / "postgres")).kill()
    eventually(lambda: "postgres.died" in site.log.read_text() and site.status() == 401)
    site.stop()
    acts = re.findall(r"postgres\.(started|died|stopped)", site.log.read_text())
    assert acts == ["started", "died", "started", "stopped"]


def test_no_impatience_leaves_the_database_running(start: Start, data: Path) -> None:
    site = start()
    for _ in range(5):
        os.killpg(site.process.pid, signal.SIGINT)
        try:
            site.process.wait(0.3)
        except subprocess.TimeoutExpired:
            continue
        break
    site.process.communicate(timeout=20)
    assert postgres_processes(data) == []
    assert "postgres.stopped" in site.log.read_text()


def test_of_many_that_end_at_the_same_moment_one_stops_the_database(data: Path) -> None:
    waits = ("shell", "--command", "import sys; sys.stderr.write('ready\\n'); sys.stderr.flush(); input()")
    commands = [manage(data, *waits) for _ in range(4)]
    for command in commands:
        assert command.stderr is not None
        assert any("ready" in line for line in command.stderr)
    for command in commands:
        command.terminate()
    logs = [command.communicate(timeout=30)[1] for command in commands]
    assert postgres_processes(data) == []
    assert "".join(logs).count("postgres.stopped") == 1


def test_a_command_that_is_told_to_end_stops_the_database(data: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        with manage(data, "shell", "--command", "import time; time.sleep(60)") as command:
            started(command)
            command.send_signal(number)
            assert command.wait(20) == 128 + number
        assert postgres_processes(data) == []


def test_a_database_that_others_use_is_left_running_and_a_line_says_so(data: Path) -> None:
    cluster = Cluster(data / "postgres")
    command = manage(data, "shell", "--command", "import time; time.sleep(60)")
    started(command)
    with cluster.connect():
        command.terminate()
        log = command.communicate(timeout=20)[1]
    assert cluster.is_running()
    assert "postgres.left_running: 1 connections of other programs are open" in log
    cluster.stop()


def test_a_crash_in_a_container_keeps_no_command_from_its_database(data: Path, stranger: psutil.Process) -> None:
    leave_pid_file(Cluster(data / "postgres"), stranger.pid)
    command = manage(data, "check", "--database", "default")
    log = command.communicate(timeout=60)[1]
    assert command.returncode == 0
    assert "postgres.stale_pid" in log


def test_a_database_that_cannot_start_is_one_sentence(data: Path) -> None:
    with (data / "postgres" / "postgresql.conf").open("a") as file:
        file.write("\nshared_buffers = a lot\n")
    command = manage(data, "check")
    said = command.communicate(timeout=60)[1]
    assert command.returncode == 1
    assert said.startswith(f"The embedded PostgreSQL in {data / 'postgres'} cannot be used: ")
    assert said.count("\n") == 1
