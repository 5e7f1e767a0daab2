"""`make bench`: calls of the echo flow against one process, beside a bare server on the same core in the same run."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from bench.load import Result, measure
from scaigrid_site import bootstrap

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 16
SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
ROUNDS = 3
BODY = json.dumps({"model": "scaicore/acme/echo-agent", "messages": [{"role": "user", "content": "hello"}]}).encode()


def main() -> None:
    """Measure every door in turn, several rounds, and print medians and ratios."""
    data = tempfile.mkdtemp(prefix="scaigrid-bench-")
    atexit.register(shutil.rmtree, data)  # exit hooks run backwards: after the database has stopped
    os.environ |= {"SCAIGRID_DATA": data, "DATABASE_URL": "", "LOG_LEVEL": "WARNING"}
    bootstrap.prepare(os.environ)
    django.setup()
    key = _prepared()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[1:] or cores)
    with _bare(cores[0]) as bare, _site(cores[0], LEAN_DOOR="on") as lean, _site(cores[0], LEAN_DOOR="off") as drf:
        _print(_measured({"bare uvicorn, fixed text": bare, "lean door": lean, "DRF view": drf}, key))


def _measured(urls: dict[str, str], key: str) -> dict[str, list[Result]]:
    """All servers in turn, round by round, so that a machine whose speed drifts treats them alike."""
    results: dict[str, list[Result]] = {name: [] for name in urls}
    for _ in range(ROUNDS):
        for name, url in urls.items():
            call = measure(f"{url}/v1/chat/completions", key, BODY, connections=CONNECTIONS, seconds=SECONDS)
            results[name].append(asyncio.run(call))
    return results


def _prepared() -> str:
    from django.core.management import call_command  # noqa: PLC0415  needs the apps that main() loads
    from django.utils import timezone  # noqa: PLC0415

    from publishing import demo  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    made = demo.prepare(at=timezone.now())
    assert made.key is not None
    return made.key


@contextmanager
def _bare(core: int) -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.bare:application", "--port", str(port), "--no-access-log",
               "--log-level", "warning", "--lifespan", "off"]  # fmt: skip
    with _running(command, port, core, {}) as url:
        yield url


@contextmanager
def _site(core: int, **settings: str) -> Iterator[str]:
    port = _free_port()
    with _running([sys.executable, "manage.py", "serve"], port, core, {"PORT": str(port), **settings}) as url:
        yield url


@contextmanager
def _running(command: list[str], port: int, core: int, settings: dict[str, str]) -> Iterator[str]:
    pin = lambda: os.sched_setaffinity(0, {core})  # noqa: E731
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.DEVNULL, preexec_fn=pin)
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _await(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("a server did not start")


def _print(results: dict[str, list[Result]]) -> None:
    print(f"{CONNECTIONS} connections, one process on one core, median of {ROUNDS} rounds of {SECONDS:g} s")
    print(f"{'':26}{'requests/s':>12}{'ratio':>8}{'median ms':>11}")
    base = None
    for name, runs in results.items():
        run = sorted(runs, key=lambda result: result.rate)[len(runs) // 2]
        base = base or run.rate
        print(f"{name:26}{run.rate:>12,.0f}{run.rate / base:>8.3f}{run.median_ms:>11.2f}")


if __name__ == "__main__":
    main()
