"""`make bench`, second part: how much later the first word comes through us than from the model's own server."""

from __future__ import annotations

import json
import socket
import statistics
import time
from typing import Any
from urllib.parse import urlsplit

from django.test import override_settings
from django.utils import timezone

from bench import servers
from tests.support import upstream

CALLS = 150
DOCUMENT: dict[str, Any] = {
    "version": "1.0.0",
    "nodes": [
        {"id": "entry", "type": "entry_api", "label": "Entry", "position": {"x": 0, "y": 0}, "config": {}},
        {
            "id": "reply",
            "type": "llm_flexible",
            "label": "Reply",
            "position": {"x": 240, "y": 0},
            "config": {"goal": "Help.", "result_binding": "response"},
        },
    ],
    "edges": [{"id": "e", "type": "sequential", "source": {"node": "entry"}, "target": {"node": "reply"}}],
    "variables": [],
    "config": {
        "publish_as_model": True,
        "core_identity": {"name": "A", "models": [{"role": "main", "ref": "bench", "model": "well"}]},
    },
}


def main(key: str) -> None:
    """Call a model directly and through a published flow, in turn, and print the medians and their difference."""
    with upstream.running() as model:
        listed = f"127.0.0.1:{model.port}"
        with override_settings(OUTBOUND_ALLOWED_HOSTS=(listed,)):
            _publish(model.base_url)
        with servers.running(servers.start_site(OUTBOUND_ALLOWED_HOSTS=listed)) as site:
            ways = {
                "the model itself": (f"{model.base_url}/chat/completions", "well"),
                "through us": (f"{site}/v1/chat/completions", "scaicore/acme/bench"),
            }
            times: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(CALLS):
                for name, (url, called) in ways.items():
                    times[name].append(_first_word_s(url, key, called))
    _print(times)


def _publish(base_url: str) -> None:
    # The models can be imported once the installation is there.
    from identity import actors  # noqa: PLC0415
    from identity.models import Tenant  # noqa: PLC0415
    from publishing import actions  # noqa: PLC0415

    actor, at, tenant = actors.operator("bench"), timezone.now(), Tenant.objects.get(pk="acme")
    actions.create_provider(tenant=tenant, ref="bench", base_url=base_url, actor=actor, at=at)
    flow = actions.create_flow(tenant=tenant, name="Bench", content=DOCUMENT, actor=actor, at=at)
    actions.deploy(flow, actor=actor, at=at)


def _first_word_s(url: str, key: str, model: str) -> float:
    """Seconds from sending the request to the first frame with a word in it."""
    where = urlsplit(url)
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = (
        f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((where.hostname or "", where.port or 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.perf_counter()
        connection.sendall(head.encode() + body)
        received = b""
        while b'"content":"' not in received.replace(b'": "', b'":"').replace(b'"content":""', b""):
            data = connection.recv(65536)
            assert data, received
            received += data
        return time.perf_counter() - started


def _print(times: dict[str, list[float]]) -> None:
    print(f"\ntime to the first word, median of {CALLS} calls in turn")
    for name, found in times.items():
        print(f"{name:26}{statistics.median(found) * 1000:>10.2f} ms")
    direct, ours = times.values()
    paired = statistics.median(b - a for a, b in zip(direct, ours, strict=True))
    print(f"{'added by us':26}{paired * 1000:>10.2f} ms")
