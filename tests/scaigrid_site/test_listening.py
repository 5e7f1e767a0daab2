"""The last moments of a listening socket."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from scaigrid_site.http.listening import greet_again, greet_nobody, greeted

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="packets are filtered by Linux")


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def call(door: socket.socket) -> socket.socket:
    return socket.create_connection(door.getsockname(), timeout=0.2)


def test_nobody_is_greeted_while_a_door_is_about_to_close(door: socket.socket) -> None:
    greet_nobody(door)
    with pytest.raises(TimeoutError):
        call(door)


def test_who_was_greeted_before_is_let_in_with_what_they_sent(door: socket.socket) -> None:
    with closing(call(door)) as caller:
        greet_nobody(door)
        caller.sendall(b"hello")
        (waiting,) = greeted(door)
        door.close()
        with closing(waiting):
            waiting.setblocking(True)
            assert waiting.recv(5) == b"hello"
            waiting.sendall(b"hello yourself")
            assert caller.recv(14) == b"hello yourself"


def test_a_process_that_shares_the_door_and_goes_on_greets_again(door: socket.socket) -> None:
    with door.dup() as shared:
        greet_nobody(shared)
    greet_again(door)
    call(door).close()


def test_a_door_that_was_open_all_the_time_stays_open(door: socket.socket) -> None:
    greet_again(door)
    call(door).close()
