"""`python -m bench.profile`: where the microseconds of a call go.

The site is served in this process and called from another. A timer that runs with the CPU time of this process looks
at what it is doing, and each look is counted for the module whose code, or whose call into C, was running. Looks cost
a few percent, so the shares are to be trusted further than the sum.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
import uvloop

from bench import __main__ as comparison
from bench import servers
from bench.load import WARM_UP_S, Call, measure

EVERY_S: Final = 0.0005
# Packages that are one line of the table; ours are a line for each module.
LIBRARIES: Final = ("uvicorn", "uvloop", "httptools", "psycopg_pool", "psycopg", "asyncio", "msgspec", "django")
OURS: Final = ("identity", "scaicore", "publishing", "chatapi", "scaigrid_site")
SHOWN: Final = 25


class Looks:
    """Counts what was running whenever the timer went off."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def take(self, number: int, frame: FrameType | None) -> None:
        """The handler of the timer's signal."""
        if frame is not None:
            self.counts[_owner(frame)] += 1


def _owner(frame: FrameType) -> str:
    """The library or module that a frame belongs to; what belongs to none counts for whoever called it."""
    current: FrameType | None = frame
    while current is not None:
        name = str(current.f_globals.get("__name__", ""))
        package = name.partition(".")[0]
        if package in OURS:
            return name
        if package in LIBRARIES:
            return package
        current = current.f_back
    return "everything else"


def main() -> None:
    """Serve, be called, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--caller", nargs=2, metavar=("URL", "KEY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.caller:
        _call(*options.caller, options)
        return
    servers.install()
    key = comparison.demo_key()
    port = servers.free_port()
    config = uvicorn.Config(
        "scaigrid_site.asgi:application",
        port=port,
        http="scaigrid_site.http.protocol:BoundedProtocol",
        ws="none",
        access_log=False,
        log_config=None,
    )
    uvloop.run(_profile(uvicorn.Server(config), f"http://127.0.0.1:{port}/v1/chat/completions", key, options))


async def _profile(server: uvicorn.Server, url: str, key: str, options: argparse.Namespace) -> None:
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn sets a plain flag
        await asyncio.sleep(0.05)
    caller = ["--caller", url, key, "--seconds", str(options.seconds), "--connections", str(options.connections)]
    looks, used = Looks(), time.process_time()
    signal.signal(signal.SIGPROF, looks.take)
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.profile", *caller, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent
    )
    answer, _ = await process.communicate()
    signal.setitimer(signal.ITIMER_PROF, 0)
    used = time.process_time() - used
    server.should_exit = True
    await serving
    _print(looks.counts, used, int(answer))


def _call(url: str, key: str, options: argparse.Namespace) -> None:
    """In the caller's process: call, and tell how many calls were answered, the ones to warm up included."""
    small = comparison.SCENARIOS[0]
    call = Call(url, key, small.body("scaicore/acme/echo-agent", False))
    result = asyncio.run(measure(call, connections=options.connections, seconds=options.seconds))
    print(int(result.requests * (1 + WARM_UP_S / options.seconds)))


def _print(counts: Counter[str], used_s: float, calls: int) -> None:
    total = counts.total()
    print(f"{calls:,} calls, {used_s / calls * 1e6:.1f} µs of this process each; {total:,} looks")
    for owner, count in counts.most_common(SHOWN):
        print(f"{owner:42}{used_s * count / total / calls * 1e6:>8.1f} µs{count / total:>8.1%}")


if __name__ == "__main__":
    main()
