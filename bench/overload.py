"""Ten times the load that a process takes: what it took keeps its pace, and the rest is told so at once."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from subprocess import DEVNULL
from urllib.parse import urlsplit

from bench import first_token, servers
from bench.field import RELAYED
from bench.load import quantile_ms

RUNS, LINE, LINE_S = 16, 16, 0.5
SECONDS = 6.0
PAUSE_S = 0.005  # of the model, between two of its 200 pieces: a call mostly waits for it


@dataclass
class Seen:
    """Seconds of the calls that were answered and of those that were refused, and what was neither."""

    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    without_wait: int = 0


def run(key: str) -> None:
    """Call as many as it takes, then ten times as many; a broken promise ends with an error."""
    with ExitStack() as stack:
        port = servers.free_port()
        command = [sys.executable, "-m", "bench.model_server", str(port), str(PAUSE_S)]
        model = stack.enter_context(servers.running(servers.start(command, port, settings={})))
        first_token.publish(f"{model}/v1")
        bounds = {"MAX_RUNS": str(RUNS), "MAX_QUEUED": str(LINE), "QUEUE_S": str(LINE_S)}
        site = servers.start_site(log=DEVNULL, OUTBOUND_ALLOWED_HOSTS=f"127.0.0.1:{port}", **bounds)
        url = stack.enter_context(servers.running(site))
        calm, much = (asyncio.run(_load(url, key, callers)) for callers in (RUNS, 10 * RUNS))
    ratio = quantile_ms(much.answered, 0.99) / quantile_ms(calm.answered, 0.99)
    at_once = [seconds for seconds in much.refused if seconds < LINE_S]
    print(
        f"{RUNS} callers: {len(calm.answered)} answered, p99 {quantile_ms(calm.answered, 0.99):.0f} ms. "
        f"{10 * RUNS} callers: {len(much.answered)} answered, p99 {quantile_ms(much.answered, 0.99):.0f} ms "
        f"({ratio:.1f} times, the wait in line included); {len(much.refused)} refused, "
        f"{len(at_once)} of them at once, p50 {quantile_ms(at_once, 0.5):.0f} ms, p99 {quantile_ms(at_once, 0.99):.0f} "
        f"ms, the others after their {LINE_S} s in line; "
        f"{len(much.others)} otherwise"
    )
    assert much.refused and not much.others and not much.without_wait
    assert len(much.answered) >= len(calm.answered) / 2, "what it could do, it did not do any more"


async def _load(url: str, key: str, callers: int) -> Seen:
    seen, until = Seen(), time.monotonic() + SECONDS
    await asyncio.gather(*(_call_on(url, key, until, seen) for _ in range(callers)))
    return seen


async def _call_on(url: str, key: str, until: float, seen: Seen) -> None:
    where = urlsplit(url)
    body = json.dumps({"model": RELAYED, "messages": [{"role": "user", "content": "hi"}]}).encode()
    request = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    while time.monotonic() < until:
        started = time.monotonic()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
        took_s, status = time.monotonic() - started, int(head.split(b" ", 2)[1])
        if status == 200:
            seen.answered.append(took_s)
        elif status == 503:
            seen.refused.append(took_s)
            seen.without_wait += b"retry-after:" not in head
            await asyncio.sleep(0.2)  # a client waits before it asks again, and less than it was told to
        else:
            seen.others.append(status)
    writer.close()
