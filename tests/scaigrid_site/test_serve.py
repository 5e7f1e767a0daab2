"""`manage.py serve` as an operator meets it: start, stop, crash, a taken port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.scaigrid_site.conftest import Site, Start, eventually, postgres_processes
from tests.support.serving import ROOT


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie only waits for its parent to look."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def workers_of(site: Site) -> list[psutil.Process]:
    children = psutil.Process(site.process.pid).children()
    return [child for child in children if is_alive(child) and "spawn_main" in " ".join(child.cmdline())]


def test_the_first_start_prints_a_curl_line_that_works_and_the_second_no_stale_key(
    start: Start, tmp_path: Path
) -> None:
    site = start()
    assert site.process.stdout is not None
    curl = next(line for line in site.process.stdout if line.startswith("curl "))
    answer = subprocess.run(curl, shell=True, capture_output=True, text=True, check=True)  # noqa: S602  as pasted
    assert '"content":"hello"' in answer.stdout
    site.stop()
    again = start().stop()
    assert "create_api_key" in again
    assert "sgk_" not in again


def test_sigterm_leaves_nothing_behind_the_embedded_database_included(start: Start, data: Path) -> None:
    site = start()
    assert site.status() == 401
    assert postgres_processes(data)
    site.stop()
    assert site.process.returncode == 0
    assert postgres_processes(data) == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_end_of_its_terminal_leaves_nothing_behind_either(start: Start, data: Path, workers: str) -> None:
    site = start(WORKERS=workers)
    everybody = psutil.Process(site.process.pid).children(recursive=True)
    os.killpg(site.process.pid, signal.SIGHUP)
    site.process.communicate(timeout=40)
    assert site.process.returncode == 0
    eventually(lambda: not any(map(is_alive, everybody)))
    assert postgres_processes(data) == []


def has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_it_is_served_on_the_loopback_of_ipv6(start: Start) -> None:
    site = start(HOST="::1")
    assert site.process.stdout is not None
    curl = next(line for line in site.process.stdout if line.startswith("curl "))
    assert f"http://[::1]:{site.port}/v1/chat/completions" in curl
    answer = subprocess.run(curl, shell=True, capture_output=True, text=True, check=True)  # noqa: S602  as pasted
    assert '"content":"hello"' in answer.stdout


def test_a_killed_server_does_not_keep_the_database_from_the_next(start: Start, data: Path) -> None:
    site = start()
    site.process.kill()
    site.process.communicate()
    after = start()
    assert after.status() == 401
    after.stop()
    assert postgres_processes(data) == []


def test_two_processes_share_the_database_and_the_last_one_stops_it(start: Start, data: Path) -> None:
    one, other = start(), start()
    one.stop()
    assert other.status() == 401
    other.stop()
    assert postgres_processes(data) == []


def test_a_killed_worker_is_replaced_and_all_end_with_the_parent(start: Start, data: Path) -> None:
    site = start(WORKERS="2")
    first, second = workers_of(site)
    first.kill()
    eventually(lambda: len(workers_of(site)) == 2 and first not in workers_of(site))
    assert second in workers_of(site)
    assert site.status() == 401
    everybody = psutil.Process(site.process.pid).children(recursive=True)
    site.stop()
    eventually(lambda: not any(map(is_alive, everybody)))


def test_the_demo_is_served_on_loopback_only(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "serve", "--demo"],
        cwd=ROOT,
        env=os.environ | {"HOST": "0.0.0.0"},  # noqa: S104
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "loopback only" in ended.stderr


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=os.environ | {"PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken." in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "x"), ("WORKERS", "0"), ("PUBLIC_URL", "grid"), ("PORT", "99999")]
)
def test_a_wrong_setting_stops_with_a_sentence(name: str, value: str) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{name} must ")
