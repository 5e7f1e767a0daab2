"""What only a real server shows: bodies that come in chunks, and bodies that never come whole."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from publishing.models import Core, Publication
from tests.support.api_calls import Rest
from tests.support.serving import Server


@pytest.fixture
def grid(lean_server: Server, transactional_db: None) -> Server:
    return lean_server


def chunked(body: bytes) -> Iterator[bytes]:
    yield body[:5]
    yield body[5:]


def publish(grid: Server, core: Core, key: str, body: bytes, **headers: str) -> requests.Response:
    url = f"{grid.url}/v1/modules/scaicore/cores/{core.pk}/publish"
    sent = {"authorization": f"Bearer {key}", "content-type": "application/json", **headers}
    return requests.post(url, data=chunked(body), headers=sent, timeout=20)


def test_a_list_that_comes_in_chunks_is_not_a_list_that_was_left_out(
    grid: Server, narrow_echo: Core, as_root: Rest
) -> None:
    Publication.objects.all().delete()
    answer = publish(grid, narrow_echo, as_root.key, b'{"group_ids": ["group_acme_eng"]}')
    assert (answer.status_code, answer.json()["data"]["visibility"]) == (201, "groups")


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_in_chunks_is_415(grid: Server, narrow_echo: Core, as_root: Rest, content_type: str) -> None:
    answer = publish(grid, narrow_echo, as_root.key, b"group_ids=", **{"content-type": content_type})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def opening(grid: Server, path: str, key: str, body: bytes, length: str) -> bytes:
    """How the answer begins when `body` was sent and no more comes."""
    where = urlsplit(grid.url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\n{length}\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        return connection.recv(12)


@pytest.mark.parametrize("key", ["live", "none"])
@pytest.mark.parametrize("path", ["/v1/modules/scaicore/cores", "/api/v1/flows"])
def test_a_body_that_is_declared_too_large_is_refused_before_it_comes(
    grid: Server, as_root: Rest, path: str, key: str
) -> None:
    answer = opening(grid, path, as_root.key if key == "live" else key, b'{"name"', "Content-Length: 30000000")
    assert answer == (b"HTTP/1.1 413" if key == "live" else b"HTTP/1.1 401")


def test_a_body_in_chunks_is_refused_once_it_is_too_large(grid: Server, as_root: Rest) -> None:
    chunk = b"%x\r\n" % 21_000_000 + b" " * 21_000_000
    path = "/v1/modules/scaicore/cores"
    assert opening(grid, path, as_root.key, chunk, "Transfer-Encoding: chunked") == b"HTTP/1.1 413"
