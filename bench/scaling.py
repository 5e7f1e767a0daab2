"""`make bench-scaling`: one process and three, nginx in front of them, PgBouncer behind, and one that is replaced.

Where all of it shares a few cores, more processes are not faster; so what a call costs each part is measured in
processor time, from which the size of a larger installation follows.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import psutil
from django.core.management import call_command
from django.db import connection

from bench import field, servers
from bench.__main__ import SMALL, Scenario, demo_key
from bench.load import Call, Result, measure
from scaigrid_site.postgres import postmaster

PROCESSES: Final = 3
CONNECTIONS: Final = 32
CALL: Final = Scenario("small", SMALL, CONNECTIONS)
NGINX: Final = """
daemon off; pid {folder}/pid; error_log stderr crit; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/scaigrid.conf;
}}
"""
PGBOUNCER: Final = """
[databases]
grid = host={host} dbname={name} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
user = {system_user}
pool_mode = transaction
max_prepared_statements = 200
ignore_startup_parameters = extra_float_digits,options
default_pool_size = 20
"""


class Layout(NamedTuple):
    """Some processes, and where callers come to."""

    name: str
    url: str
    parts: dict[str, list[psutil.Process]]


def main() -> None:
    """Measure each layout, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="how long each layout is called")
    parser.add_argument("--pgbouncer", default="pgbouncer", help="how PgBouncer 1.21 or newer is called here")
    options = parser.parse_args()
    servers.install()
    key = demo_key()
    print("| layout | calls/s | p50, p99 ms | failed | µs of a processor for each call |\n|---|---|---|---|---|")
    with ExitStack() as stack:
        _show(Layout("1 process", *_site(stack, 1)), key, options.seconds)
    with ExitStack() as stack:
        _show(_behind_nginx(stack, 1), key, options.seconds)
    with ExitStack() as stack:
        _show(_behind_nginx(stack, PROCESSES), key, options.seconds)
    with ExitStack() as stack:
        if pooler := _pooler(stack, shlex.split(options.pgbouncer)):
            call_command("tune_database", verbosity=0, stdout=io.StringIO())
            _show(_behind_nginx(stack, PROCESSES, pooler), key, options.seconds)
    with ExitStack() as stack:
        _replace(stack, key, options.seconds)


def _show(layout: Layout, key: str, seconds: float) -> None:
    asyncio.run(measure(_call(layout.url, key), connections=CONNECTIONS, seconds=1.0))
    before = {part: _processor_s(found) for part, found in layout.parts.items()}
    result = asyncio.run(measure(_call(layout.url, key), connections=CONNECTIONS, seconds=seconds))
    used = {part: (_processor_s(found) - before[part]) / result.requests * 1e6 for part, found in layout.parts.items()}
    costs = ", ".join(f"{part} {cost:.0f}" for part, cost in used.items())
    print(f"| {layout.name} | {_figures(result)} | {costs} |")


def _figures(result: Result) -> str:
    p50, p99 = result.latency_ms(0.5), result.latency_ms(0.99)
    return f"{result.rate:,.0f} | {p50:.1f}, {p99:.1f} | {result.failures}"


def _call(url: str, key: str) -> Call:
    return Call(f"{url}/v1/chat/completions", key, CALL.body(field.ECHO, False))


def _processor_s(processes: list[psutil.Process]) -> float:
    times = [one.cpu_times() for process in processes for one in [process, *process.children(recursive=True)]]
    return sum(one.user + one.system for one in times)


def _site(stack: ExitStack, count: int, **settings: str) -> tuple[str, dict[str, list[psutil.Process]]]:
    """So many processes of the product; the URL of the first."""
    running = [servers.start_site(DRAIN_S="2", **settings) for _ in range(count)]
    for one in running:
        stack.callback(one.stop)
    processes = [psutil.Process(one.process.pid) for one in running]
    return running[0].url, {"processes": processes, "PostgreSQL": [_database()]}


def _behind_nginx(stack: ExitStack, count: int, pooler: psutil.Process | None = None) -> Layout:
    settings = {"DATABASE_URL": f"postgresql://grid@127.0.0.1:{_port_of(pooler)}/grid"} if pooler else {}
    _, parts = _site(stack, count, **settings)
    ports = [int(one.environ()["PORT"]) for one in parts["processes"]]
    url, process = stack.enter_context(_nginx(ports))
    parts["nginx"] = [process]
    name = f"nginx, {count} process{'es' * (count > 1)}"
    if pooler is None:
        return Layout(name, url, parts)
    return Layout(f"{name}, PgBouncer", url, parts | {"PgBouncer": [pooler]})


@contextmanager
def _nginx(ports: list[int]) -> Iterator[tuple[str, psutil.Process]]:
    """`deploy/nginx.conf` as it stands, but for ports and names."""
    command = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if command is None:
        raise SystemExit("There is no nginx here: install Debian's nginx-light.")
    port = servers.free_port()
    upstream = "\n".join(f"server 127.0.0.1:{one} max_fails=0;" for one in ports)
    text = (servers.ROOT / "deploy" / "nginx.conf").read_text()
    text = text.replace("server grid:8000 max_fails=0;", upstream).replace("listen 8080;", f"listen 127.0.0.1:{port};")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "scaigrid.conf").write_text(text)
        Path(folder, "nginx.conf").write_text(NGINX.format(folder=folder))
        Path(folder).chmod(0o755)  # its worker is another user
        started = servers.start([command, "-c", f"{folder}/nginx.conf", "-p", folder], port, settings={})
        with servers.running(started):
            yield started.url, psutil.Process(started.process.pid)


def _pooler(stack: ExitStack, command: list[str]) -> psutil.Process | None:
    """PgBouncer in front of the installation's database; None where there is none that is new enough."""
    try:
        said = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        said = ""
    version = tuple(int(part) for part in said.split()[1].split(".")[:2]) if said else (0, 0)
    if version < (1, 21):
        print("| left out: there is no PgBouncer of 1.21 or newer here (`--pgbouncer`) | | | | |")
        return None
    where, port = connection.get_connection_params(), servers.free_port()
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    system_user = _database().username()
    text = PGBOUNCER.format(
        host=where["host"], name=where["dbname"], user=where["user"], port=port, system_user=system_user
    )
    Path(folder, "pgbouncer.ini").write_text(text)
    Path(folder).chmod(0o755)
    started = servers.start([*command, "-q", f"{folder}/pgbouncer.ini"], port, settings={})
    stack.enter_context(servers.running(started))
    return psutil.Process(started.process.pid)


def _database() -> psutil.Process:
    found = postmaster.find(Path(os.environ["SCAIGRID_DATA"]) / "postgres")
    assert found is not None
    return found


def _port_of(process: psutil.Process) -> int:
    return next(one.laddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN)


def _replace(stack: ExitStack, key: str, seconds: float) -> None:
    """One of three processes ends and is started again, under load."""
    _, parts = _site(stack, PROCESSES)
    ports = [int(one.environ()["PORT"]) for one in parts["processes"]]
    url, _ = stack.enter_context(_nginx(ports))
    ending = threading.Timer(seconds / 3, _restart(stack, parts["processes"][-1], ports[-1]))
    ending.start()
    result = asyncio.run(measure(_call(url, key), connections=CONNECTIONS, seconds=seconds))
    ending.join()
    print(f"| nginx, {PROCESSES} processes, of which one is replaced meanwhile | {_figures(result)} | |")
    assert not result.failures


def _restart(stack: ExitStack, process: psutil.Process, port: int) -> Callable[[], None]:
    def act() -> None:
        process.terminate()
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)
        stack.callback(servers.start_site(PORT=str(port)).stop)

    return act


if __name__ == "__main__":
    main()
