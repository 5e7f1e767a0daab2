"""A real server for tests: its own process, its own port, the test database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent
START_S = 30


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def v1(self) -> str:
        """The base URL that OpenAI clients are given."""
        return f"{self.url}/v1"


@contextmanager
def serving(**settings: str) -> Iterator[Server]:
    """Serve the test database with `settings` laid over the environment; drained at the end."""
    port = free_port()
    # What one test's call leaves for the ledger must not come into the next one's tables.
    ours = {"PORT": str(port), "DATABASE_URL": database_url(), "LOG_LEVEL": "WARNING", "USAGE_GATHER_S": "0"}
    process = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=os.environ | ours | settings)
    try:
        await_port(port, process)
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def database_url() -> str:
    """The URL of the database that the tests themselves use."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def await_port(port: int, process: subprocess.Popen[Any], host: str = "127.0.0.1") -> None:
    """Wait until `process` listens on `port`."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it listened")
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not listen in time")
