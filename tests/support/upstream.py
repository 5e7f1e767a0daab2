"""A scripted server on loopback: an OpenAI-compatible upstream that misbehaves by the name of the model it is asked
for, and a web server that misbehaves by path. It keeps what it was sent, and notices who hangs up."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support import upstream_answers, upstream_scripts
from tests.support.upstream_wire import Script, Seen, Wire

NOTICE_S = 0.01


@dataclass
class Upstream:
    """The running server. `requests` and `left` (models or paths whose caller hung up early) grow as it is called."""

    port: int = 0
    scheme: str = "http"
    requests: list[Seen] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    connections: int = 0
    sent_bytes: int = 0
    _scripts: dict[str, list[Script]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What a model provider is given."""
        return f"{self.url}/v1"

    def says(self, model: str, *answers: str) -> None:
        """Let `model` stream these answers, one a request; the last one again and again."""
        self.plays(model, *map(upstream_answers.saying, answers))

    def plays(self, name: str, *scripts: Script) -> None:
        """Let the model or path `name` answer by these scripts, one a request; by the last one again and again."""
        self._scripts[name] = list(scripts)

    def forget(self) -> None:
        self.requests.clear()
        self.left.clear()
        self._scripts.clear()
        self.connections = self.sent_bytes = 0

    def await_left(self, name: str) -> None:
        """Wait until the caller of `name` is seen to have hung up."""
        _await(lambda: name in self.left, f"nobody hung up on {name}")

    def await_request(self) -> None:
        """Wait for the next request to arrive."""
        _await(lambda: bool(self.requests), "nothing was asked")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: its requests, one after the other."""
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            for nth in itertools.count(1):
                if writer.is_closing():
                    break
                seen = await _read(reader, nth)
                self.requests.append(seen)
                await self._answer(seen, reader, Wire(writer, self._count))
        writer.close()

    async def _answer(self, seen: Seen, reader: asyncio.StreamReader, wire: Wire) -> None:
        work = asyncio.create_task(self._script(seen, wire))
        gone = asyncio.create_task(_gone(reader))
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, gone):
            task.cancel()
        try:
            await work
        except (asyncio.CancelledError, ConnectionError):
            self.left.append(seen.name)

    async def _script(self, seen: Seen, wire: Wire) -> None:
        scripts = self._scripts.get(seen.name)
        if scripts is None:
            scripts = [upstream_scripts.named(seen.name)]
        await (scripts.pop(0) if len(scripts) > 1 else scripts[0])(wire, seen)

    def _count(self, size: int) -> None:
        self.sent_bytes += size


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Upstream]:
    """The server, in a thread and an event loop of its own."""
    upstream, loop = Upstream(scheme="https" if tls else "http"), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    # In that thread from the start: a test that drives a browser has a loop of its own in this one.
    starting = asyncio.start_server(upstream.serve, "127.0.0.1", 0, ssl=tls)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(5)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def _await(is_so: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + 5.0
    while not is_so():
        assert time.monotonic() < until, otherwise
        time.sleep(NOTICE_S)


async def _ended(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _gone(reader: asyncio.StreamReader) -> None:
    """Returns when the caller has hung up; reads nothing of the next request."""
    while not reader.at_eof() and reader.exception() is None:  # noqa: ASYNC110  a stream has no event for its end
        await asyncio.sleep(NOTICE_S)


async def _read(reader: asyncio.StreamReader, nth: int) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    url = urlsplit(target)
    model = _model(body) if url.path.endswith("/chat/completions") else ""
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    return Seen(method, url.path, query, headers, body, model, nth)


def _model(body: bytes) -> str:
    sent: Any = json.loads(body)
    return str(sent["model"])
