"""Raw calls of `/v1/responses`, for what no SDK would send, and what its streams hold."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.support import openai_schemas
from tests.support.serving import Server

HELLO: dict[str, Any] = {"model": "scaicore/acme/echo-agent", "input": "hello"}


def create(server: Server, key: str | None, body: Any = None, **headers: str) -> requests.Response:
    """POST `body`, HELLO when left out, bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(HELLO if body is None else body).encode()
    return ask(server, key, "POST", "", data=data, **{"content-type": "application/json", **headers})


def ask(
    server: Server, key: str | None, method: str, path: str, *, data: bytes | None = None, **headers: str
) -> requests.Response:
    """Call what stands under `/v1/responses`."""
    sent = headers | ({} if key is None else {"authorization": f"Bearer {key}"})
    return requests.request(method, f"{server.v1}/responses{path}", data=data, headers=sent, timeout=30)


def hello(**fields: Any) -> dict[str, Any]:
    """HELLO with `fields` laid over it."""
    return {**HELLO, **fields}


def whole(answer: requests.Response) -> dict[str, Any]:
    """The response of an answer in one piece, which is as OpenAI describes it."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    openai_schemas.check(found, "Response")
    return found


def events(answer: requests.Response) -> list[dict[str, Any]]:
    """The events of a stream, each as OpenAI describes it, numbered without gaps, named as in their data."""
    assert answer.status_code == 200, answer.text
    frames = [frame.split("\n") for frame in answer.text.split("\n\n") if frame.startswith("event: ")]
    found = [json.loads(lines[1].removeprefix("data: ")) for lines in frames]
    assert [lines[0].removeprefix("event: ") for lines in frames] == [event["type"] for event in found]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    for event in found:
        openai_schemas.check(event, "ResponseStreamEvent")
    return found


def text_of(response: dict[str, Any]) -> str:
    """The words of the answer."""
    parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part["text"] for part in parts if part["type"] == "output_text")
