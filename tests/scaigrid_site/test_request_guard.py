"""What is refused by the head of a request alone, whichever path would have served it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import HELLO
from tests.support.raw_http import Answer, exchange
from tests.support.serving import Server

BODY = json.dumps(HELLO).encode()
PLAIN = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(BODY)


@pytest.fixture
def bearer(ann: User, echo: Core, key_of: Callable[[User], str]) -> bytes:
    return f"Authorization: Bearer {key_of(ann)}\r\n".encode()


def post(server: Server, *headers: bytes, version: bytes = b"1.1") -> Answer:
    head = b"POST /v1/chat/completions HTTP/" + version + b"\r\n" + b"".join(headers) + b"\r\n"
    return exchange(server, head + BODY)


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Entity-Id", "Content-Type", "content-type"])
def test_a_header_that_is_sent_twice_is_400(server: Server, bearer: bytes, name: str) -> None:
    twice = f"{name}: application/json\r\n".encode() * 2
    length = b"Content-Length: %d\r\n" % len(BODY)
    answer = post(server, b"Host: x\r\n", bearer, twice, length)
    assert answer.status == 400
    assert name.lower() in str(answer.json()["error"]).lower()


def test_two_keys_are_401_even_if_both_are_good(server: Server, bearer: bytes) -> None:
    answer = post(server, b"Host: x\r\n", bearer, bearer, PLAIN)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_header_without_a_single_meaning_may_be_sent_twice(server: Server, bearer: bytes) -> None:
    assert post(server, b"Host: x\r\n", bearer, PLAIN, b"Accept: a/b\r\nAccept: c/d\r\n").status == 200


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nHost: b\r\n"])
def test_http_1_1_without_one_host_is_400(server: Server, bearer: bytes, hosts: bytes) -> None:
    assert post(server, hosts, bearer, PLAIN).status == 400


def test_http_1_0_needs_no_host(server: Server, bearer: bytes) -> None:
    assert post(server, bearer, PLAIN, version=b"1.0").status == 200


ENVELOPES = [
    (b"/v1/models", "error"),
    (b"/v1/modules/scaicore/cores", "status"),
    (b"/hooks/acme/echo-agent", "status"),
    (b"/api/v1/flows", "detail"),
]


@pytest.mark.parametrize(("path", "key"), ENVELOPES)
def test_every_prefix_refuses_in_its_own_envelope(server: Server, path: bytes, key: str) -> None:
    answer = exchange(
        server, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + b"Authorization: Bearer x\r\n" * 2 + b"\r\n"
    )
    assert answer.status == 401
    assert key in answer.json()
