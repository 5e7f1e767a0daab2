"""Servers for measuring: an installation of their own, real processes, nothing left behind."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command

from scaigrid_site import bootstrap

ROOT = Path(__file__).resolve().parent.parent


def install(*, is_migrated: bool = True) -> None:
    """A fresh installation in a temporary folder, as the environment of this process."""
    data = tempfile.mkdtemp(prefix="scaigrid-bench-")
    atexit.register(shutil.rmtree, data)  # exit hooks run backwards: after the database has stopped
    os.environ |= {"SCAIGRID_DATA": data, "DATABASE_URL": "", "LOG_LEVEL": "ERROR"}
    bootstrap.prepare(os.environ)
    django.setup()
    if is_migrated:
        call_command("migrate", verbosity=0)


def start(
    command: list[str],
    port: int,
    *,
    settings: dict[str, str],
    pin: Callable[[], None] | None = None,
    log: int | None = None,
    is_foreign: bool = False,
) -> Running:
    """A server process that listens on `port`; its log goes where ours goes, or to `log`. A foreign one is not told
    of our database."""
    ours = {"DATABASE_URL"} if is_foreign else set()
    environment = {name: value for name, value in os.environ.items() if name not in ours} | settings
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=log, preexec_fn=pin
    )
    _await(port)
    return Running(f"http://127.0.0.1:{port}", process)


def start_site(*, pin: Callable[[], None] | None = None, log: int | None = None, **settings: str) -> Running:
    """The product, serving the installation."""
    port = int(settings.get("PORT") or free_port())
    command = [sys.executable, "manage.py", "serve"]
    return start(command, port, settings={"PORT": str(port), **settings}, pin=pin, log=log)


class Running:
    """A server that runs."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.process = process

    def stop(self) -> None:
        """Drain it."""
        self.process.terminate()
        self.process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running(server: Running) -> Iterator[str]:
    """The server's URL; stopped at the end."""
    try:
        yield server.url
    finally:
        server.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _await(port: int) -> None:
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("a server did not start")
