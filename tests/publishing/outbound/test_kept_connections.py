"""Connections that are kept: the last one used, whole, for the same server, and not more of them than agreed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpcore2
import pytest
from django.conf import LazySettings

from publishing.outbound import kept_connections
from publishing.outbound.kept_connections import KeptConnections
from tests.support.outside_calls import get

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Counted:
    """A server that counts who connected and who is still there."""

    def __init__(self) -> None:
        self.port = self.connected = self.open = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@asynccontextmanager
async def serving(answer: Answering, settings: LazySettings) -> AsyncIterator[Counted]:
    counted = Counted()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counted.connected += 1
        counted.open += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            counted.open -= 1
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    counted.port = server.sockets[0].getsockname()[1]
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)
    async with server:
        yield counted


async def well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(ANSWER)
    await asyncio.sleep(0.02)


async def test_a_request_looks_at_one_connection_whatever_their_number(
    outside: None, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    has_expired = httpcore2.AsyncHTTPConnection.has_expired
    async with serving(well, settings) as server:
        await asyncio.gather(*(get(server.url) for _ in range(20)))
        monkeypatch.setattr(
            httpcore2.AsyncHTTPConnection, "has_expired", lambda self: looked.append(self) or has_expired(self)
        )
        assert (await get(server.url)).status == 200
        assert (server.connected, len(looked)) == (20, 1)


async def test_of_many_that_are_idle_the_oldest_are_closed(
    outside: None, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_connections, "MOST_IDLE", 3)
    async with serving(well, settings) as server:
        await asyncio.gather(*(get(server.url) for _ in range(10)))
        await asyncio.sleep(0.05)
        assert (server.connected, server.open) == (10, 3)


async def test_those_that_were_idle_for_too_long_are_closed(
    outside: None, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(well, settings) as server:
        await asyncio.gather(*(get(server.url) for _ in range(3)))
        monkeypatch.setattr(kept_connections, "IDLE_S", 0.0)
        await get(server.url)
        await asyncio.sleep(0.05)
        assert server.open == 0


async def test_what_a_server_says_unasked_is_no_answer_to_the_next_request(
    outside: None, settings: LazySettings
) -> None:
    async def too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER)
        await asyncio.sleep(0.02)
        writer.write(ANSWER.replace(b"200 OK", b"418 No"))

    async with serving(too_much, settings) as server:
        assert (await get(server.url)).status == 200
        await asyncio.sleep(0.06)
        assert (await get(server.url)).status == 200
        assert server.connected == 2


async def test_a_connection_that_the_server_has_closed_is_not_used(outside: None, settings: LazySettings) -> None:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER)
        await asyncio.sleep(0.01)
        writer.close()

    async with serving(closing, settings) as server:
        for _ in range(3):
            assert (await get(server.url)).status == 200
            await asyncio.sleep(0.05)
        assert server.connected == 3


async def test_when_no_place_is_free_a_request_waits_and_then_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_connections, "MOST", 0)
    monkeypatch.setattr(kept_connections, "PLACE_S", 0.05)
    connections = KeptConnections(httpcore2.AnyIOBackend(), httpcore2.default_ssl_context())
    with pytest.raises(httpcore2.PoolTimeout):
        await connections.send(httpcore2.Request("GET", "http://127.0.0.1:9/"))


async def test_a_request_that_fails_gives_its_place_back(outside: None, settings: LazySettings) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with serving(silent, settings) as server:
        backend = httpcore2.AnyIOBackend()
        connections = KeptConnections(backend, httpcore2.default_ssl_context())
        free = connections._places._value
        with pytest.raises(httpcore2.RemoteProtocolError):
            await connections.send(httpcore2.Request("GET", server.url, headers={"host": "x"}))
        assert connections._places._value == free
