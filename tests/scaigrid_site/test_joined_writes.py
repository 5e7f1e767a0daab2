"""The head of an answer and the first piece of its body leave in one piece, and nothing is held back for ever."""

from __future__ import annotations

import asyncio
import socket
from typing import cast
from urllib.parse import urlsplit

from scaigrid_site.http.joined_writes import JoinedWrites
from tests.support.serving import Server


class Sent(list[bytes]):
    """A transport that notes what it is given."""

    def write(self, data: bytes) -> None:
        self.append(data)

    def close(self) -> None:
        self.append(b"<closed>")

    def is_closing(self) -> bool:
        return b"<closed>" in self


def joined() -> tuple[JoinedWrites, Sent]:
    sent = Sent()
    return JoinedWrites(cast("asyncio.Transport", sent)), sent


def test_a_head_waits_for_its_body_and_what_follows_waits_for_nothing() -> None:
    writes, sent = joined()
    for number in (b"1", b"2"):
        writes.write(b"head" + number)
        assert len(sent) == 3 * (int(number) - 1)
        for piece in (b"body", b"more", b"end"):
            writes.write(piece)
        writes.end()
    assert sent == [b"head1body", b"more", b"end", b"head2body", b"more", b"end"]


def test_an_answer_without_a_body_is_sent_at_its_end() -> None:
    writes, sent = joined()
    writes.write(b"head")
    writes.end()
    writes.write(b"next")
    writes.close()
    assert sent == [b"head", b"next", b"<closed>"]
    assert writes.is_closing()


def test_the_word_to_go_on_is_no_head() -> None:
    writes, sent = joined()
    writes.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    writes.write(b"head")
    writes.write(b"body")
    assert sent == [b"HTTP/1.1 100 Continue\r\n\r\n", b"headbody"]


def test_answers_with_and_without_a_body_follow_each_other_on_one_connection(server: Server) -> None:
    with socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port)) as connection:
        for method, kept in ((b"GET", b"keep-alive"), (b"HEAD", b"keep-alive"), (b"GET", b"close")):
            connection.sendall(method + b" /healthz/live HTTP/1.1\r\nHost: x\r\nConnection: " + kept + b"\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.count(b"HTTP/1.1 200 OK") == 3
