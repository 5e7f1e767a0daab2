"""Servers with a data folder of their own, started as an operator starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory

import psutil
import pytest
import requests

from scaigrid_site.postgres import postmaster
from tests.support.serving import ROOT, await_port, free_port

Start = Callable[..., "Site"]


class Site:
    """A server with a data folder of its own, started like by `make serve`; its log goes to `log`."""

    def __init__(self, data: Path, log: Path, *options: str, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        own = {"PORT": str(self.port), "SCAIGRID_DATA": str(data)}
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--demo", *options],
                cwd=ROOT,
                env=bare_environment() | own | settings,
                stdout=PIPE,
                stderr=file,
                text=True,
                start_new_session=True,  # so that a test can send it what Ctrl-C sends
            )
        await_port(self.port, self.process, settings.get("HOST", "127.0.0.1"))

    def status(self) -> int:
        return requests.get(f"{self.url}/v1/models", headers={"authorization": "Bearer x"}, timeout=10).status_code

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=40)[0]


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder outside of pytest's own: each run of pytest closes those to the user that root's PostgreSQL runs as."""
    with TemporaryDirectory(prefix="scaigrid-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def made_data() -> Iterator[Path]:
    """What SCAIGRID_DATA names, made by the first command that needed it; nobody uses it."""
    with open_folder() as folder:
        with manage(folder / "data", "migrate", "--verbosity", "0") as command:
            assert command.wait(60) == 0
        yield folder / "data"


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def data(folder: Path, made_data: Path) -> Path:
    """A data folder with a database that has its tables; its server does not run."""
    subprocess.run(["cp", "-a", made_data, folder / "data"], check=True)
    return folder / "data"


def manage(data: Path, *arguments: str) -> subprocess.Popen[str]:
    """A command with this data folder."""
    command = [sys.executable, "manage.py", *arguments]
    environment = bare_environment() | {"SCAIGRID_DATA": str(data)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=PIPE, stderr=PIPE, text=True)


def bare_environment() -> dict[str, str]:
    """Without what the tests' own start has put there."""
    return {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SECRET_KEY")}


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts sites in the folder `data`, which is made unless the test takes it, too."""
    sites: list[Site] = []

    def starter(**settings: str) -> Site:
        sites.append(Site(folder / "data", folder / f"log-{len(sites)}", **settings))
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
