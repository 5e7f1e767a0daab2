"""Raw calls of the chat, for what no SDK would send."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.support.serving import Server

HELLO: dict[str, Any] = {
    "model": "scaicore/acme/echo-agent",
    "messages": [{"role": "user", "content": "hello"}],
}


def call(server: Server, key: str | None, body: Any = None, **headers: str) -> requests.Response:
    """POST `body` (HELLO when left out; bytes as they are) to the chat."""
    data = body if isinstance(body, bytes) else json.dumps(HELLO if body is None else body).encode()
    sent = {"content-type": "application/json", **headers}
    if key is not None:
        sent["authorization"] = f"Bearer {key}"
    return requests.post(f"{server.v1}/chat/completions", data=data, headers=sent, timeout=30)


def hello(**fields: Any) -> dict[str, Any]:
    """HELLO with `fields` laid over it."""
    return {**HELLO, **fields}


def error(response: requests.Response) -> dict[str, Any]:
    """The error object, which must have all four keys."""
    found: dict[str, Any] = response.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return found


def frames(response: requests.Response) -> list[Any]:
    """The stream's data lines, decoded; the last one is the word `[DONE]`."""
    lines = [line for line in response.text.split("\n") if line.startswith("data: ")]
    return [line[6:] if line == "data: [DONE]" else json.loads(line[6:]) for line in lines]
