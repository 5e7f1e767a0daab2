"""How much later the first word comes through us than from the model's own server."""

from __future__ import annotations

import json
import socket
import statistics
import time
from typing import Any
from urllib.parse import urlsplit

from django.test import override_settings
from django.utils import timezone

from bench import field

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
        "core_identity": {"name": "A", "models": [{"role": "main", "ref": "bench", "model": "small"}]},
    },
}


def measured(cores: field.Cores, key: str) -> dict[str, str]:
    """Call a model directly and through a published flow, in turn: the medians and that of their differences."""
    with field.relays(cores, key, publish) as entrants:
        ways = {entrant.name: entrant for entrant in entrants if entrant.name != field.RELAY}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(CALLS):
            for name, entrant in ways.items():
                times[name].append(_first_word_s(f"{entrant.url}/v1/chat/completions", entrant.key, entrant.model))
    direct, ours = times.values()
    added = statistics.median(b - a for a, b in zip(direct, ours, strict=True))
    medians = {name: f"{statistics.median(found) * 1000:.2f} ms" for name, found in times.items()}
    return medians | {"added by us, median of pairs": f"{added * 1000:.2f} ms"}


def publish(base_url: str) -> None:
    """A flow of one model node that asks the server at `base_url`, published to acme. Again: with a new server."""
    # The models can be imported once the installation is there.
    from identity import actors  # noqa: PLC0415
    from identity.models import Tenant  # noqa: PLC0415
    from publishing import actions  # noqa: PLC0415
    from publishing.models import ModelProvider  # noqa: PLC0415

    actor, at, tenant = actors.operator("bench"), timezone.now(), Tenant.objects.get(pk="acme")
    with override_settings(OUTBOUND_ALLOWED_HOSTS=(urlsplit(base_url).netloc,)):
        provider = ModelProvider.objects.filter(tenant=tenant, ref="bench").first()
        if provider is not None:
            actions.save_provider(provider, base_url=base_url, actor=actor, at=at)
            return
        actions.create_provider(tenant=tenant, ref="bench", base_url=base_url, actor=actor, at=at)
        flow = actions.create_flow(tenant=tenant, name="Bench", content=DOCUMENT, actor=actor, at=at)
        actions.deploy(flow, actor=actor, at=at)


def _first_word_s(url: str, key: str, model: str) -> float:
    """Seconds from sending the request to the first frame with a word in it; the rest is read as well.

    A caller who hung up after the word would end the connection to the model too, and each call would pay for another.
    """
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
        taken = time.perf_counter() - started
        while b"data: [DONE]" not in received:
            received += connection.recv(65536)
        return taken
