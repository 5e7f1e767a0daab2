"""The time between SIGTERM and the end."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from chatapi.models import UsageRecord
from identity.models import User
from publishing.models import Core
from tests.scaigrid_site.conftest import eventually
from tests.support.chat_calls import call as chat
from tests.support.serving import Server, serving

BODY = json.dumps({"model": "m", "messages": []}).encode()
HEAD = (
    f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
).encode()


@contextmanager
def call_under_way(server: Server) -> Iterator[socket.socket]:
    """A call whose body has not been sent yet, and which the server has begun to read."""
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=30) as call:
        call.sendall(HEAD)
        assert call.recv(1000).startswith(b"HTTP/1.1 100")
        yield call


def ready(server: Server) -> int:
    return requests.get(f"{server.url}/healthz/ready", timeout=10).status_code


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_while_a_call_runs_a_server_that_was_told_to_end_is_not_ready_and_still_answers(
    transactional_db: None, number: signal.Signals, workers: str
) -> None:
    with serving(DRAIN_S="60", WORKERS=workers) as server, call_under_way(server) as call:
        server.process.send_signal(number)
        eventually(lambda: ready(server) == 503)
        assert requests.get(f"{server.url}/healthz/live", timeout=10).status_code == 200
        assert requests.get(f"{server.v1}/models", timeout=10).status_code == 401
        call.sendall(BODY)
        assert call.recv(1000).startswith(b"HTTP/1.1 401")
        assert server.process.wait(20) == 0


def test_a_second_signal_ends_the_wait(transactional_db: None) -> None:
    with serving(DRAIN_S="60", SHUTDOWN_TIMEOUT_S="1") as server, call_under_way(server):
        server.process.terminate()
        eventually(lambda: ready(server) == 503)
        server.process.terminate()
        assert server.process.wait(20) == 0


def test_a_server_without_calls_ends_at_once(transactional_db: None) -> None:
    with serving(DRAIN_S="60") as server:
        server.process.terminate()
        assert server.process.wait(20) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_ends_under_load_answers_every_call_that_it_was_sent(
    transactional_db: None, ann: User, echo: Core, key_of: Callable[[User], str], workers: str
) -> None:
    with serving(WORKERS=workers) as server, ThreadPoolExecutor(8) as pool:
        key = key_of(ann)
        callers = [pool.submit(_call_until_refused, server, key) for _ in range(8)]
        eventually(lambda: _calls(ann) > 200)
        server.process.terminate()
        assert server.process.wait(30) == 0
        assert {status for caller in callers for status in caller.result()} == {200}


def _call_until_refused(server: Server, key: str) -> list[int]:
    """Calls on connections of their own, as most callers do, until the port is closed."""
    statuses = []
    while True:
        try:
            statuses.append(chat(server, key).status_code)
        except requests.ConnectionError as error:
            if "Connection refused" in str(error):
                return statuses
            statuses.append(0)


def _calls(user: User) -> int:
    return UsageRecord.objects.filter(user_id=user.pk).count()
