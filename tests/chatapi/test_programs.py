"""Programs' way through Django: in the event loop, start to end."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from asgiref.sync import SyncToAsync

from chatapi import completions
from chatapi.responses import Frames, Whole
from identity.models import User
from publishing.models import Core
from scaigrid_site.http.program_handler import ProgramHandler, is_call
from tests.support.chat_calls import HELLO, call
from tests.support.serving import Server

BODY = json.dumps(HELLO).encode()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/chat/completions", True),
        ("/oai/v1/models", True),
        ("/v1/models/scaicore/acme/echo-agent", True),
        ("/v1", True),
        ("/v1\n", True),
        ("/hooks/acme/orders", True),
        ("/v1/modules/scaicore/cores/core_1/invoke", True),
        ("/v1/modules/scaicore/cores/core_1/invoke/", True),
        ("/v1/modules/scaicore/cores/core_1", False),
        ("/v1/modules/scaicore/cores", False),
        ("/api/v1/flows", False),
        ("/v10", False),
        ("/hooksy", False),
        ("/models/", False),
    ],
)
def test_calls_of_programs_are_told_from_the_rest(path: str, expected: bool) -> None:
    assert is_call(path) is expected


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is handed to a thread meanwhile."""
    found: list[str] = []
    hand_over = SyncToAsync.__call__

    async def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(repr(self.func))
        return await hand_over(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", noting)
    yield found


async def served(method: str, path: str, key: str, body: bytes = b"", receive: Any = None) -> list[Any]:
    """The messages with which the handler answers."""
    sent: list[Any] = []
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def once() -> Any:
        return given.pop() if given else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", key.encode()), (b"content-type", b"application/json"), (b"host", b"x")]
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
    await ProgramHandler()(scope, receive or once, send)
    return sent


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/chat/completions", 200),
        ("GET", "/v1/models", 200),
        ("GET", "/v1/models/scaicore%2Facme%2Fecho-agent", 404),
        ("GET", "/v1/models/scaicore/acme/echo-agent", 200),
        ("DELETE", "/v1/models", 405),
        ("GET", "/v1/none", 404),
        ("POST", "/hooks/acme/none", 404),
    ],
)
async def test_no_call_leaves_the_event_loop(
    inside: None, echo: Core, anns_key: str, hops: list[str], method: str, path: str, status: int
) -> None:
    threads = threading.active_count()
    sent = await served(method, path, anns_key, BODY if method == "POST" else b"")
    assert sent[0]["status"] == status
    assert dict(sent[0]["headers"])[b"Content-Length"] == str(len(sent[1]["body"])).encode()
    assert hops == []
    assert threading.active_count() <= threads  # one of an earlier test may end meanwhile


async def test_a_caller_who_leaves_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    async def slow(*args: Any, **named: Any) -> Whole | Frames:
        try:
            return await asyncio.Event().wait()  # type: ignore[return-value]
        finally:
            ended.set()

    monkeypatch.setattr(completions, "answer", slow)
    given = [{"type": "http.disconnect"}, {"type": "http.request", "body": BODY, "more_body": False}]

    async def receive() -> Any:
        return given.pop()

    assert await asyncio.wait_for(served("POST", "/v1/chat/completions", "Bearer x", receive=receive), 5) == []
    assert ended.is_set()


async def test_somebody_else_who_cancels_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*args: Any, **named: Any) -> Whole | Frames:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    monkeypatch.setattr(completions, "answer", slow)
    task = asyncio.create_task(served("POST", "/v1/chat/completions", "Bearer x", BODY))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_both_doors_answer_with_a_length(server: Server, ann: User, echo: Core, key_of: Callable[[User], str]) -> None:
    answer = call(server, key_of(ann))
    assert int(answer.headers["content-length"]) == len(answer.content)
    listed = requests.get(f"{server.v1}/models", headers={"authorization": f"Bearer {key_of(ann)}"}, timeout=20)
    assert int(listed.headers["content-length"]) == len(listed.content)
