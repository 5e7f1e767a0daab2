"""Servers with a data folder of their own, started as an operator starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest
import requests

from scaigrid_site.postgres import postmaster
from tests.support.serving import ROOT, await_port, free_port

Start = Callable[..., "Site"]


class Site:
    """A server with a data folder of its own, started like by `make serve`; its log goes to `log`."""

    def __init__(self, data: Path, log: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        own = {"PORT": str(self.port), "SCAIGRID_DATA": str(data)}
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--demo"],
                cwd=ROOT,
                env=bare_environment() | own | settings,
                stdout=PIPE,
                stderr=file,
                text=True,
                start_new_session=True,  # so that a test can send it what Ctrl-C sends
            )
        await_port(self.port, self.process)

    def status(self) -> int:
        return requests.get(f"{self.url}/v1/models", headers={"authorization": "Bearer x"}, timeout=10).status_code

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=40)[0]


@pytest.fixture(scope="session")
def made_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What SCAIGRID_DATA names, made by the first command that needed it; nobody uses it."""
    data = tmp_path_factory.mktemp("made") / "data"
    with manage(data, "migrate", "--verbosity", "0") as command:
        assert command.wait(60) == 0
    return data


@pytest.fixture
def data(tmp_path: Path, made_data: Path) -> Path:
    """A data folder with a database that has its tables; its server does not run."""
    subprocess.run(["cp", "-a", made_data, tmp_path / "data"], check=True)
    return tmp_path / "data"


def manage(data: Path, *arguments: str) -> subprocess.Popen[str]:
    """A command with this data folder."""
    command = [sys.executable, "manage.py", *arguments]
    environment = bare_environment() | {"SCAIGRID_DATA": str(data)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=PIPE, stderr=PIPE, text=True)


def bare_environment() -> dict[str, str]:
    """Without what the tests' own start has put there."""
    return {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SECRET_KEY")}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    sites: list[Site] = []

    def starter(**settings: str) -> Site:
        sites.append(Site(tmp_path / "data", tmp_path / f"log-{len(sites)}", **settings))
        return sites[-1]

    yield starter
    for site in sites:
        if site.process.returncode is None:
            site.stop()


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def postgres_processes(data: Path) -> list[psutil.Process]:
    """The server processes of the data folder, whoever started them."""
    return list(postmaster.orphans(data / "postgres"))
