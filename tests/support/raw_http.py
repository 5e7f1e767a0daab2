"""Requests as bytes, for what no client library would send."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.support.serving import Server


class Answer(NamedTuple):
    """One answer; `status` is 0 when the server hung up without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


def connect(server: Server) -> socket.socket:
    """A connection to `server`; whoever waits on it for 30 seconds fails."""
    where = urlsplit(server.url)
    return socket.create_connection((where.hostname, where.port), timeout=30)


def exchange(server: Server, *parts: bytes) -> Answer:
    """Send `parts` one after the other, and read the answer."""
    with connect(server) as connection:
        with suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """The next answer on `connection`."""
    response = HTTPResponse(connection)
    try:
        response.begin()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    except (ConnectionError, HTTPException):
        return Answer(0, {}, b"")
