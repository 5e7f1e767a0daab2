"""What a connection may send before anybody has looked at a key, as bytes to a real server."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import HELLO
from tests.support.raw_http import connect, exchange, read_answer
from tests.support.serving import Server

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
BODY = json.dumps(HELLO).encode()
JSON = b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


@pytest.fixture
def bearer(ann: User, echo: Core, key_of: Callable[[User], str]) -> bytes:
    return f"Authorization: Bearer {key_of(ann)}\r\n".encode()


TOO_LARGE = {
    "a long header that never ends": POST + b"X-Pad: " + b"x" * 65_536,
    "one long header": POST + b"X-Pad: " + b"x" * 70_000 + b"\r\n\r\n",
    "a long name": POST + b"X" * 70_000 + b": x\r\n\r\n",
    "a long URL": b"GET /v1/models?" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "201 lines": POST + b"X: y\r\n" * 200 + b"\r\n",
    "200,000 lines": POST + b"X: y\r\n" * 200_000 + b"\r\n",
    "an endless method": b"G" * 70_000,
    "empty lines": b"\r\n" * 50_000,
}


@pytest.mark.parametrize("head", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_head_beyond_the_bound_is_431_or_hung_up_on(server: Server, head: bytes) -> None:
    assert exchange(server, head).status in (0, 400, 431)


def test_a_head_is_cut_while_it_arrives(server: Server) -> None:
    sent = 0
    with connect(server) as connection, pytest.raises(ConnectionError):
        connection.sendall(POST + b"X-Pad: ")
        while sent < 100_000_000:
            sent += connection.send(b"x" * 100_000)
    # What is more lay in the buffers of both ends.
    assert sent < 20_000_000


def test_a_refused_head_says_what_to_send(server: Server) -> None:
    answer = exchange(server, POST + b"X: y\r\n" * 200 + b"\r\n")
    assert answer.status == 431
    assert answer.json()["error"]["code"] == "request_head_too_large"


def test_a_head_within_the_bound_is_served(server: Server, bearer: bytes) -> None:
    pad = b"X-Pad: " + b"x" * 60_000 + b"\r\n" + b"X: y\r\n" * 150
    assert exchange(server, POST + bearer + JSON + LENGTH + pad + b"\r\n" + BODY).status == 200


def test_a_body_in_many_small_pieces_is_served(server: Server, bearer: bytes) -> None:
    head = POST + bearer + JSON + LENGTH + b"\r\n"
    assert exchange(server, head, *(bytes([byte]) for byte in BODY)).status == 200


@pytest.mark.parametrize("extension", [b";x=" + b"y" * 200_000, b"\r\nX: " + b"y" * 200_000])
def test_what_surrounds_a_chunk_is_bounded_like_a_head(server: Server, bearer: bytes, extension: bytes) -> None:
    head = POST + bearer + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = exchange(server, head, b"%x\r\n%s\r\n0" % (len(BODY), BODY), extension, b"\r\n\r\n")
    assert answer.status in (0, 431)


@pytest.mark.parametrize("path", [b"/v1/chat/completions", b"/oai/v1/chat/completions", b"/v1/chat/completions/"])
def test_a_key_behind_the_body_opens_nothing(server: Server, bearer: bytes, path: bytes) -> None:
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    assert exchange(server, head + b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY) + bearer + b"\r\n").status == 401


def test_a_key_behind_the_body_of_another_url_opens_nothing(server: Server, bearer: bytes) -> None:
    head = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(server, head + b"1\r\n \r\n0\r\n" + bearer + b"\r\n").status == 401


def test_a_trailer_does_not_change_who_calls(server: Server, bearer: bytes) -> None:
    head = POST + bearer + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    trailer = b"Authorization: Bearer sgk_wrong\r\nContent-Type: text/plain\r\n\r\n"
    assert exchange(server, head + b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY) + trailer).status == 200


OFFERS = {
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "TLS": b"Connection: upgrade, keep-alive\r\nupgrade: TLS/1.0\r\n",
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize("is_split", [False, True])
def test_an_offer_that_is_not_taken_is_ignored(server: Server, bearer: bytes, offer: bytes, is_split: bool) -> None:
    head = POST + offer + bearer + JSON + LENGTH + b"\r\n"
    answer = exchange(server, head, BODY) if is_split else exchange(server, head + BODY)
    assert answer.status == 200
    assert b'"content":"hello"' in answer.body


def test_an_offer_before_a_chunked_body_is_ignored(server: Server, bearer: bytes) -> None:
    head = POST + OFFERS["h2c"] + bearer + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    assert exchange(server, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)).status == 200


def test_the_connection_goes_on_after_an_offer(server: Server, bearer: bytes) -> None:
    call = POST + OFFERS["h2c"] + bearer + JSON + LENGTH + b"\r\n" + BODY
    with connect(server) as connection:
        for _ in range(2):
            connection.sendall(call)
            assert read_answer(connection).status == 200


@pytest.mark.parametrize("path", [b"/v1/models", b"/v1/chat/completions", b"/login/"])
def test_an_offer_of_a_get_is_ignored(server: Server, path: bytes) -> None:
    request = b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n"
    offering, plain = (exchange(server, request + offer + b"\r\n") for offer in (OFFERS["websocket"], b""))
    assert offering.status == plain.status != 0


@pytest.mark.parametrize("request_line", [b"CONNECT example.com:443 HTTP/1.1", b"HELLO", b"GET / HTTP/9.9"])
def test_what_is_no_request_for_us_is_refused(server: Server, request_line: bytes) -> None:
    assert exchange(server, request_line + b"\r\nHost: x\r\n\r\n").status in (400, 405)
