"""Callers who mean no good, beside honest ones: floods of heads, requests that never end, readers who do not read,
questions that cannot be asked, a Core that calls itself. What counts is what becomes of the others meanwhile."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from subprocess import DEVNULL
from typing import Any
from urllib.parse import urlsplit

import requests
from django.utils import timezone

from bench import servers
from bench.callers import LOST_S, Surface, Tally, calling
from bench.counting import node
from chatapi.models import UsageRecord
from identity import actors, keys
from identity.models import ApiKey, User
from publishing import actions

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HEAD_BYTES = 20_000_000
LONG_WORDS = 1_000_000
PATIENCE_S = "2"
HUNG_UP = 1  # stands for the status where the connection was closed without an answer
OBSERVED_S = 5.0
# They share two cores with hundreds of callers who do their worst, and with the database.
SLOWEST_P95_MS = 1000.0


def run() -> None:
    """Every kind of caller, with the figures of the honest ones; a broken promise ends with an error."""
    (honest, secret), (_, other) = _mint("honest"), _mint("hostile")
    _deploy_fan()
    patience = dict.fromkeys(("HEAD_TIMEOUT_S", "BODY_TIMEOUT_S", "READER_TIMEOUT_S"), PATIENCE_S)
    with servers.running(servers.start_site(log=DEVNULL, **patience)) as url:
        answered = 0
        for what, (count, call) in _kinds(url, other).items():
            answered += _observe(what, count, call, Surface("chat", _chat(url, secret, "echo-agent")))
    rows = UsageRecord.objects.filter(key_id=honest.pk).count()
    print(f"answers to honest callers: {answered}; rows of them in the ledger: {rows}")
    assert rows == answered, "the ledger is not what was answered"


def _kinds(url: str, key: str) -> dict[str, tuple[int, Callable[[], int]]]:
    """How many callers of each kind, and what one of them does again and again."""
    body = json.dumps(_says("echo-agent", "word " * LONG_WORDS, stream=True)).encode()
    long_answer = POST + b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (key.encode(), len(body)) + body
    return {
        "heads of 20 MB": (4, lambda: _flood(url, POST + b"X-Pad: ", b"x" * 100_000)),
        "heads of endless lines": (4, lambda: _flood(url, POST, b"X: y\r\n" * 10_000)),
        "heads that never end": (200, lambda: _wait(url, POST)),
        "bodies that never end": (200, lambda: _wait(url, POST + b"Content-Length: 100\r\n\r\n{")),
        "connections that say nothing": (200, lambda: _wait(url, b"")),
        "readers who do not read": (8, lambda: _stall(url, long_answer)),
        "names that cannot be asked for": (8, lambda: _get(f"{url}/v1/models/a%00b")),
        "names that are too long": (8, lambda: _get(f"{url}/v1/models/{'x' * 3000}")),
        "a Core that calls itself five times at once": (2, _chat(url, key, "fan")),
    }


def _observe(what: str, count: int, call: Callable[[], int], chat: Surface) -> int:
    """How many calls of honest callers were answered meanwhile."""
    with calling([chat], each=4) as quiet:
        time.sleep(OBSERVED_S / 2)
    with calling([chat], each=4) as tally, calling([Surface("hostile", call)], each=count) as hostile:
        time.sleep(OBSERVED_S)
    ends = ", ".join(f"{_name(status)} {hostile.count(status)}" for status in sorted({end[3] for end in hostile.calls}))
    print(f"{what}, {count} callers: {len(hostile.calls)} sent ({ends})")
    print(f"    others: {tally}; p95 {tally.p95_ms:.0f} ms, alone {quiet.p95_ms:.0f} ms")
    assert _is_answered(quiet) and _is_answered(tally), "somebody else's call failed"
    assert tally.p95_ms < SLOWEST_P95_MS, "others waited for a hostile caller"
    assert not hostile.count(200, 500, 503), "a hostile call had its way, or broke something"
    return len(quiet.calls) + len(tally.calls)


def _is_answered(tally: Tally) -> bool:
    return tally.count(200) == len(tally.calls)


def _name(status: int) -> str:
    return {0: "lost", HUNG_UP: "hung up on"}.get(status, str(status))


def _says(core: str, text: str, **more: Any) -> dict[str, Any]:
    return {"model": f"scaicore/acme/{core}", "messages": [{"role": "user", "content": text}], **more}


def _chat(url: str, key: str, core: str) -> Callable[[], int]:
    where, headers = f"{url}/v1/chat/completions", {"authorization": f"Bearer {key}"}
    return lambda: requests.post(where, json=_says(core, "hello"), headers=headers, timeout=LOST_S).status_code


def _get(url: str) -> int:
    return requests.get(url, headers={"authorization": "Bearer sgk_nobody"}, timeout=LOST_S).status_code


def _connect(url: str) -> socket.socket:
    where = urlsplit(url)
    return socket.create_connection((where.hostname, where.port), timeout=LOST_S)


def _flood(url: str, begin: bytes, piece: bytes) -> int:
    """Send and send, and see how it ends."""
    with _connect(url) as connection:
        with suppress(ConnectionError):
            connection.sendall(begin)
            for _ in range(HEAD_BYTES // len(piece)):
                connection.sendall(piece)
        return _end(connection)


def _wait(url: str, sent: bytes) -> int:
    """Send this much, and wait for the server to lose its patience."""
    with _connect(url) as connection:
        connection.sendall(sent)
        return _end(connection)


def _stall(url: str, sent: bytes) -> int:
    """Ask for a long answer and read nothing of it until the server has hung up."""
    with _connect(url) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with suppress(ConnectionError):
            connection.sendall(sent)
        time.sleep(3 * float(PATIENCE_S))
        read = 0
        with suppress(ConnectionError):
            while piece := connection.recv(1_000_000):
                read += len(piece)
    return HUNG_UP if read < len(sent) else 200


def _end(connection: socket.socket) -> int:
    with suppress(ConnectionError):
        first = connection.recv(12)
        return int(first[9:12]) if len(first) == 12 else HUNG_UP
    return HUNG_UP


def _mint(name: str) -> tuple[ApiKey, str]:
    root = User.objects.get(email="root@acme.test")
    return keys.mint(user=root, name=name, actor=actors.actor_of(root), at=timezone.now())


def _deploy_fan() -> None:
    """A Core that calls itself five times at once."""
    calls = [node(f"c{n}", "subflow_call", {"target": "core://acme/fan"}) for n in range(5)]
    ways = [
        {"id": each["id"], "type": "sequential", "source": {"node": "entry"}, "target": {"node": each["id"]}}
        for each in calls
    ]
    document = {
        "version": "1.0.0",
        "nodes": [node("entry", "entry_api", {}), *calls],
        "edges": ways,
        "config": {"publish_as_model": True},
    }
    root = User.objects.get(email="root@acme.test")
    actor, at = actors.actor_of(root), timezone.now()
    flow = actions.create_flow(tenant=root.tenant, name="Fan", content=document, actor=actor, at=at)
    actions.deploy(flow, actor=actor, at=at)
