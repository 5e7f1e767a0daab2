"""`make bench`: calls of the echo flow against one process, next to a bare server on the same core in the same run."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from django.utils import timezone

from bench import first_token, servers
from bench.load import Result, measure

CONNECTIONS = 16
SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
ROUNDS = 3
BODY = json.dumps({"model": "scaicore/acme/echo-agent", "messages": [{"role": "user", "content": "hello"}]}).encode()


def main() -> None:
    """Measure every server in turn, several rounds, and print medians and ratios."""
    servers.install()
    key = _key()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[1:] or cores)

    def pin() -> None:
        os.sched_setaffinity(0, {cores[0]})

    port = servers.free_port()
    bare = [
        sys.executable,
        "-m",
        "uvicorn",
        "bench.bare:application",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "warning",
        "--lifespan",
        "off",
    ]
    with (
        servers.running(servers.start(bare, port, settings={}, pin=pin)) as bare_url,
        servers.running(servers.start_site(pin=pin, LEAN_DOOR="on")) as fast_url,
        servers.running(servers.start_site(pin=pin, LEAN_DOOR="off")) as drf_url,
    ):
        _print(_measured({"bare uvicorn, fixed text": bare_url, "fast path": fast_url, "DRF view": drf_url}, key))
    first_token.main(key)


def _key() -> str:
    # The models can be imported once the installation is there.
    from publishing import demo  # noqa: PLC0415

    made = demo.prepare(at=timezone.now())
    assert made.key is not None
    return made.key


def _measured(urls: dict[str, str], key: str) -> dict[str, list[Result]]:
    """All servers in turn, round by round, so that a machine whose speed drifts treats them alike."""
    results: dict[str, list[Result]] = {name: [] for name in urls}
    for _ in range(ROUNDS):
        for name, url in urls.items():
            call = measure(f"{url}/v1/chat/completions", key, BODY, connections=CONNECTIONS, seconds=SECONDS)
            results[name].append(asyncio.run(call))
    return results


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
