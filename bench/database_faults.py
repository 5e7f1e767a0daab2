"""A database that is suspended, gone, restarted, full or asked nonsense, under callers at every surface."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psutil
import psycopg
import requests

from bench import servers
from bench.callers import LOST_S, Surface, calling
from publishing.leases import LEASE_S
from scaigrid_site.postgres import Cluster, postmaster

LIMIT_S = 2.0
# What a loaded machine may take beyond the limit for the answer itself.
GRACE_S = 3.0


def run(key: str) -> None:
    """Every fault, its figures for each surface; a broken promise ends with an error."""
    cluster = Cluster(Path(os.environ["SCAIGRID_DATA"]) / "postgres")
    # Each refusal is a line in the log, and here they are counted.
    site = servers.start_site(DATABASE_TIMEOUT_S=str(LIMIT_S), log=DEVNULL)
    with servers.running(site) as url:
        surfaces = surfaces_of(url, key)
        _observe("suspended", surfaces, lambda: _suspend(cluster), lambda: _resume(cluster), broken_s=4 * LIMIT_S)
        _observe("stopped, so it refuses", surfaces, cluster.stop, cluster.start, broken_s=3.0, at_once=True)
        _observe("restarted, fast", surfaces, cluster.stop, cluster.start)
        _observe("restarted, immediate", surfaces, lambda: _end(cluster, signal.SIGQUIT), cluster.start)
        _observe("killed", surfaces, lambda: _end(cluster, signal.SIGKILL), cluster.start)
        _observe("read-only", surfaces, lambda: _read_only(cluster, "on"), lambda: _read_only(cluster, "off"))
        _without_connections(cluster, surfaces)
        _spoiled(url, surfaces[0])
    site = servers.start_site(DATABASE_URL="", DATABASE_TIMEOUT_S=str(LIMIT_S), log=DEVNULL)
    with servers.running(site) as url:
        watched = surfaces_of(url, key)
        _observe("killed, and watched by the server", watched, lambda: _end(cluster, signal.SIGKILL), lambda: None)
    _full_disk(cluster, key)


def surfaces_of(url: str, key: str, text: str = "hello") -> list[Surface]:
    """Every way to the database: the chat's pool, REST, pages, health; and one that needs no database."""
    bearer = {"authorization": f"Bearer {key}"}
    session = {"cookie": f"sessionid_{urlsplit(url).port}={'x' * 32}"}

    def get(path: str, headers: dict[str, str]) -> Callable[[], int]:
        return lambda: requests.get(url + path, headers=headers, timeout=LOST_S, allow_redirects=False).status_code

    def chat(model: str, **more: str) -> Callable[[], int]:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        where = f"{url}/v1/chat/completions"
        return lambda: requests.post(where, json=body, headers=bearer, timeout=LOST_S).status_code

    return [
        Surface("chat", chat("scaicore/acme/echo-agent")),
        Surface("memory", chat("scaicore/acme/counter", entity_id="outage")),
        Surface("models", get("/v1/models", bearer)),
        Surface("module", get("/v1/modules/scaicore/cores", bearer)),
        Surface("REST", get("/api/v1/flows", bearer)),
        Surface("page", lambda: _page(get("/flows/", session))),
        Surface("admin", lambda: _page(get("/admin/", session))),
        Surface("ready", get("/healthz/ready", {})),
        Surface("live", get("/healthz/live", {})),
    ]


def _page(get: Callable[[], int]) -> int:
    """A redirect to the sign-in page is an answer: the session was looked for in the database."""
    status = get()
    return 200 if status == 302 else status


def _observe(
    what: str,
    surfaces: list[Surface],
    break_it: Callable[[], None],
    mend_it: Callable[[], None],
    *,
    broken_s: float = 1.0,
    at_once: bool = False,
) -> None:
    with calling(surfaces) as tally:
        time.sleep(1.0)
        break_it()
        broken_at = time.monotonic()
        time.sleep(broken_s)
        mend_it()
        mended_at = time.monotonic()
        back_s = _until_back(surfaces[0], mended_at)
        time.sleep(1.0)
    during = tally.between(broken_at, mended_at)
    print(f"database {what} for {mended_at - broken_at:.1f} s: {tally}; calls work again after {back_s:.2f} s")
    for surface in surfaces:
        print(f"    {surface.name:8} meanwhile {during.of(surface.name)}")
    live, others = tally.of("live"), tally.of(*(surface.name for surface in surfaces if surface.name != "memory"))
    assert tally.count(0) == 0, "a call was lost"
    assert tally.count(200, 503) == len(tally.calls), "a call was answered otherwise"
    assert others.slowest_s < LIMIT_S + GRACE_S, "a call took longer than the limit"
    assert tally.slowest_s < LEASE_S + LIMIT_S + GRACE_S, "a lease outlived its time"
    assert live.count(200) == len(live.calls), "the process was not live"
    assert not at_once or during.p95_ms < 1000, "a refusal took its time"


def _until_back(surface: Surface, since: float) -> float:
    while surface.status() != 200:
        assert time.monotonic() < since + LOST_S, "calls do not work again"
        time.sleep(0.02)
    return time.monotonic() - since


def _server(cluster: Cluster) -> psutil.Process:
    found = postmaster.find(cluster.folder)
    assert found is not None
    return found


def _suspend(cluster: Cluster) -> None:
    for process in postmaster.orphans(cluster.folder):
        process.suspend()


def _resume(cluster: Cluster) -> None:
    for process in postmaster.orphans(cluster.folder):
        process.resume()


def _end(cluster: Cluster, number: signal.Signals) -> None:
    _server(cluster).send_signal(number)


def _read_only(cluster: Cluster, value: str) -> None:
    """As after a fail-over to a replica: the sessions end, and new ones may only read."""
    with cluster.connect() as connection:
        connection.execute(f"ALTER DATABASE scaigrid SET default_transaction_read_only = {value}")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'scaigrid'")


def _without_connections(cluster: Cluster, surfaces: list[Surface]) -> None:
    """Somebody else takes every connection that the server gives to ordinary roles."""
    with ExitStack() as taken:

        def take_all() -> None:
            try:
                while True:
                    taken.enter_context(psycopg.connect(cluster.url("scaigrid")))
            except psycopg.OperationalError:
                pass

        _observe("out of connections", surfaces, take_all, taken.close, broken_s=2.0)


def _spoiled(url: str, chat: Surface) -> None:
    """Four callers ask for what cannot be asked, in the same batches as everybody else."""
    names = ("%00", "a%00b", "x" * 3000, "%EF%BF%BF")
    hostile = [Surface(name, _unknown(f"{url}/v1/models/{name}")) for name in names]
    with calling([chat], each=4) as quiet:
        time.sleep(2.0)
    with calling([chat, *hostile], each=4) as tally:
        time.sleep(4.0)
    honest = tally.of("chat")
    print(
        f"16 callers ask for models that cannot be asked for ({len(tally.calls) - len(honest.calls)} times); others: "
        f"{honest}; p95 {honest.p95_ms:.0f} ms, without them {quiet.p95_ms:.0f} ms"
    )
    assert honest.count(200) == len(honest.calls), "somebody else's call failed"
    assert not any(status >= 500 for _, _, _, status in tally.calls), "a question was not refused"


def _unknown(url: str) -> Callable[[], int]:
    return lambda: requests.get(url, headers={"authorization": "Bearer sgk_nobody"}, timeout=LOST_S).status_code


def _full_disk(cluster: Cluster, key: str) -> None:
    """A copy of the database on a file system of its own, which is filled to the last byte."""
    with TemporaryDirectory() as folder:
        disk = Path(folder)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", disk], check=False).returncode:
            print("database whose disk is full: not tried, this user may not mount a file system")
            return
        cluster.stop()
        subprocess.run(["cp", "-a", cluster.folder, disk], check=True)
        cluster.start()
        try:
            _fill(Cluster(disk / cluster.folder.name), key)
        finally:
            subprocess.run(["umount", disk], check=True)


def _fill(cluster: Cluster, key: str) -> None:
    filler = cluster.folder.parent / "filler"

    def fill() -> None:
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1M"], stderr=DEVNULL, check=False)

    cluster.start()
    site = servers.start_site(DATABASE_URL=cluster.url("scaigrid"), DATABASE_TIMEOUT_S=str(LIMIT_S), log=DEVNULL)
    try:
        with servers.running(site) as url:
            # What is said is kept, and random text cannot be made smaller.
            surfaces = surfaces_of(url, key, text=secrets.token_hex(50_000))
            _observe("with a full disk", surfaces, fill, filler.unlink, broken_s=3.0)
    finally:
        cluster.stop()
