"""Streams whose server ends, whose caller leaves, whose key or model is taken away: whole or told, never just cut."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from subprocess import DEVNULL
from typing import Any
from urllib.parse import urlsplit

import psutil
import requests
from django.utils import timezone

from bench import first_token, servers
from bench.field import RELAYED
from bench.model_server import PIECES
from chatapi.models import UsageRecord
from identity import actors, keys
from identity.models import User
from publishing import actions
from publishing.models import Core

STREAMS = 32
PAUSE_S = 0.02  # so a stream takes four seconds
WHOLE, TOLD, CUT = "whole", "told of an error", "cut without a word"


def run() -> None:
    """Every fault with its figures; a broken promise ends with an error."""
    with ExitStack() as stack:
        port = servers.free_port()
        command = [sys.executable, "-m", "bench.model_server", str(port), str(PAUSE_S)]
        model = stack.enter_context(servers.running(servers.start(command, port, settings={})))
        first_token.publish(f"{model}/v1")
        host = {"OUTBOUND_ALLOWED_HOSTS": f"127.0.0.1:{port}"}
        for budget_s in (30, 1, 0):
            _end_server(budget_s, host)
        with servers.running(servers.start_site(log=DEVNULL, **host)) as url:
            _leave(url)
            _take_away(url, "its key is revoked", lambda key: keys.revoke(key, actor=_operator(), at=timezone.now()))
            _take_away(url, "its model is un-published", lambda key: _unpublish())


def _end_server(budget_s: int, host: dict[str, str]) -> None:
    """SIGTERM while streams run."""
    _, secret = _mint()
    site = servers.start_site(log=DEVNULL, SHUTDOWN_TIMEOUT_S=str(budget_s), DRAIN_S="0", **host)
    children = psutil.Process(site.process.pid).children(recursive=True)

    async def ended() -> tuple[Counter[str], float]:
        streams = [asyncio.create_task(_stream(site.url, secret)) for _ in range(STREAMS)]
        await asyncio.sleep(1.5)
        started = time.monotonic()
        site.process.terminate()
        found = Counter(await asyncio.gather(*streams))
        await asyncio.to_thread(site.process.wait, 60)
        return found, time.monotonic() - started

    outcomes, took_s = asyncio.run(ended())
    left = [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    print(
        f"SIGTERM, {budget_s} s for what runs: {STREAMS} streams, {_shown(outcomes)}; "
        f"exit {site.process.returncode} after {took_s:.1f} s, {len(left)} children left"
    )
    assert outcomes == {(WHOLE if budget_s == 30 else TOLD): STREAMS}, outcomes
    assert took_s < budget_s + 5
    assert not left


def _leave(url: str) -> None:
    """Callers who hang up in each phase of a call; the next ones find nothing of them."""
    key, secret = _mint()
    request = _request(url, secret)
    head, body = request.split(b"\r\n\r\n", 1)
    phases: dict[str, tuple[bytes, float]] = {
        "in the head": (head[:40], 0.0),
        "in the body": (head + b"\r\n\r\n" + body[:10], 0.0),
        "before the first word": (request, 0.0),
        "in mid-stream": (request, 0.6),
    }
    for phase, (sent, wait_s) in phases.items():
        asyncio.run(_hang_up(url, sent, wait_s))
        print(f"callers who hang up {phase}: {STREAMS} left")
    open_s = _until(lambda: _open_connections(url) == 0)
    after = asyncio.run(_stream(url, secret))
    rows = Counter(UsageRecord.objects.filter(key_id=key.pk).values_list("outcome", flat=True))
    print(f"behind them: no connection after {open_s:.1f} s; the next stream is {after}; ledger {dict(rows)}")
    assert after == WHOLE
    assert rows["cancelled"] >= STREAMS
    assert set(rows) <= {"ok", "cancelled"}


def _take_away(url: str, what: str, act: Callable[[Any], object]) -> None:
    """What was begun with rights goes on; the next call is refused."""
    key, secret = _mint()

    async def taken() -> Counter[str]:
        streams = [asyncio.create_task(_stream(url, secret)) for _ in range(STREAMS)]
        await asyncio.sleep(1.5)
        await asyncio.to_thread(act, key)
        started = time.monotonic()
        refused = await asyncio.to_thread(_status, url, secret)
        print(f"streams while {what}: the next call answers {refused} after {time.monotonic() - started:.3f} s", end="")
        assert refused in (401, 404)
        return Counter(await asyncio.gather(*streams))

    outcomes = asyncio.run(taken())
    print(f"; {STREAMS} streams, {_shown(outcomes)}")
    assert outcomes == {WHOLE: STREAMS}, outcomes


def _shown(outcomes: Counter[str]) -> str:
    return ", ".join(f"{outcomes[kind]} {kind}" for kind in (WHOLE, TOLD, CUT))


async def _stream(url: str, secret: str) -> str:
    """What becomes of one stream."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(_request(url, secret))
    received = b""
    try:
        while piece := await reader.read(65536):
            received += piece
    except ConnectionError:
        return CUT
    finally:
        writer.close()
    if not received.endswith(b"0\r\n\r\n") or b"data: [DONE]" not in received:
        return CUT
    return WHOLE if received.count(b'"content":"word') == PIECES else TOLD if b'"error":' in received else CUT


async def _hang_up(url: str, sent: bytes, wait_s: float) -> None:
    where = urlsplit(url)

    async def one() -> None:
        _, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(sent)
        await writer.drain()
        await asyncio.sleep(wait_s)
        writer.transport.abort()

    await asyncio.gather(*(one() for _ in range(STREAMS)))


def _request(url: str, secret: str) -> bytes:
    body = {"model": RELAYED, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    data = json.dumps(body).encode()
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n"
    ).encode() + data


def _status(url: str, secret: str) -> int:
    body = {"model": RELAYED, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {secret}"}
    return requests.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60).status_code


def _open_connections(url: str) -> int:
    port = urlsplit(url).port
    found = psutil.net_connections("tcp")
    return sum(one.laddr.port == port and one.status == psutil.CONN_ESTABLISHED for one in found if one.laddr)


def _until(holds: Callable[[], bool], longest_s: float = 20.0) -> float:
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < longest_s
        time.sleep(0.05)
    return time.monotonic() - started


def _unpublish() -> None:
    actions.unpublish(Core.objects.get(tenant="acme", slug="bench"), actor=_operator(), at=timezone.now())


def _operator() -> actors.Actor:
    return actors.operator("faults")


def _mint() -> tuple[Any, str]:
    root = User.objects.get(email="root@acme.test")
    return keys.mint(user=root, name="streams", actor=_operator(), at=timezone.now())
