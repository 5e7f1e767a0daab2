"""Callers who are slow to ask or slow to read, against a server that waits two seconds for anybody."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import call, hello
from tests.support.raw_http import connect, read_answer
from tests.support.serving import Server, serving

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def hasty(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    """A server without patience."""
    bounds = {"HEAD_TIMEOUT_S": "2", "BODY_TIMEOUT_S": "2", "READER_TIMEOUT_S": "2"}
    with (
        django_db_blocker.unblock(),
        serving(**bounds, MAX_UNFINISHED_REQUESTS="5", MAX_STREAMS_PER_KEY="2", KEEP_ALIVE_S="1") as server,
    ):
        yield server


@pytest.fixture
def key(ann: User, echo: Core, key_of: Callable[[User], str], transactional_db: None) -> str:
    return key_of(ann)


UNFINISHED = {
    "a method": b"POS",
    "half a head": POST,
    "empty lines": b"\r\n",
    "half a body": POST + b"Content-Length: 100\r\n\r\n{",
    "half a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    "an offer and half a body": POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 100\r\n\r\n{",
}


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_a_request_that_is_never_whole_is_408(hasty: Server, key: str, sent: bytes) -> None:
    with connect(hasty) as connection:
        connection.sendall(sent)
        answer = read_answer(connection)
    assert (answer.status, answer.json()["error"]["code"]) == (408, "request_timeout")


def test_a_silent_connection_is_closed_without_a_word(hasty: Server) -> None:
    with connect(hasty) as connection:
        assert connection.recv(1) == b""


def test_a_second_request_that_is_never_whole_is_408(hasty: Server, key: str) -> None:
    with connect(hasty) as connection:
        connection.sendall(b"GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(connection).status == 200
        connection.sendall(POST)
        assert read_answer(connection).status == 408


def test_the_oldest_of_too_many_unfinished_requests_makes_room(hasty: Server, key: str) -> None:
    with ExitStack() as opened:
        oldest = opened.enter_context(connect(hasty))
        oldest.sendall(POST)
        # An answer to somebody else: what was sent before has been read.
        assert call(hasty, key).status_code == 200
        for _ in range(5):
            opened.enter_context(connect(hasty)).sendall(POST)
        assert call(hasty, key).status_code == 200
        assert read_answer(oldest).status == 408


def long_call(key: str, size: int) -> bytes:
    body = json.dumps(hello(stream=True, messages=[{"role": "user", "content": "word " * (size // 5)}])).encode()
    return POST + f"Authorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_reader_who_stalls_is_hung_up_on(hasty: Server, key: str) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        host, _, port = hasty.url.removeprefix("http://").partition(":")
        connection.connect((host, int(port)))
        connection.sendall(long_call(key, 8_000_000))
        connection.recv(10)
        until = time.monotonic() + 60
        while has_connections(hasty):
            assert time.monotonic() < until
            time.sleep(0.2)
        # Nor does the kernel keep the rest for a reader who may yet come.
        with pytest.raises(ConnectionResetError):
            while connection.recv(1_000_000):
                pass


def has_connections(server: Server) -> bool:
    port = int(server.url.rpartition(":")[2])
    found = psutil.Process(server.process.pid).net_connections("tcp")
    return any(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port for one in found)
