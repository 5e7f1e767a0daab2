"""The time between SIGTERM and the end: while calls run, new ones are still taken and `/healthz/ready` says 503.

So a load balancer learns that this process is about to go before its port closes. A process without calls ends at once.
The kernel greets callers before a server does: a socket that is closed with some of them waiting resets them, and a
proxy that has sent a call by then may not send it to another server. So they are let in before the door is closed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from chatapi import stopping
from chatapi.asgi_types import App, Message, Receive, Scope, Send
from scaigrid_site.http.listening import GREETING_S, greet_again, greet_nobody, greeted

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
LOOK_S: Final = 0.05


def end_with_the_terminal() -> None:
    """Let SIGHUP drain and end like SIGTERM, or the embedded database would be left running. `nohup` goes on."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: os.kill(os.getpid(), signal.SIGTERM))


def _closing(send: Send) -> Send:
    """Sends the answer and asks for its connection to be closed behind it: no proxy is to keep it for the next call."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return sent


class Draining:
    """An ASGI application that counts what runs in `app`, and puts the server's own reaction to a signal off."""

    def __init__(self, app: App, *, longest_s: float) -> None:
        self.has_begun = False
        self._app = app
        self._longest_s = longest_s
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._waiting: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        self._running += 1
        self._idle.clear()
        try:
            await self._app(scope, receive, _closing(send) if self.has_begun else send)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def finish(self, longest_s: float) -> None:
        """Wait for what still runs, such as the last words of streams that have run out of time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._idle.wait()

    def take_signals(self) -> None:
        """Stand in front of the handlers that the server installed. Called in its event loop, when it starts."""
        loop = asyncio.get_running_loop()
        end_with_the_terminal()
        for number in SIGNALS:
            leave = signal.getsignal(number)
            server = getattr(leave, "__self__", None)
            if callable(leave) and isinstance(server, uvicorn.Server):
                signal.signal(number, partial(self._begin, loop, server, leave))

    def _begin(
        self,
        loop: asyncio.AbstractEventLoop,
        server: uvicorn.Server,
        leave: Callable[[int, FrameType | None], object],
        number: int,
        _: object,
    ) -> None:
        if not self.has_begun:
            self.has_begun = True
            stopping.begin()
            loop.call_soon_threadsafe(self._start_waiting, server, partial(leave, number, None))
        elif self._waiting is not None and not self._waiting.done():
            loop.call_soon_threadsafe(self._waiting.cancel)  # the second signal is impatience
        else:
            leave(number, None)

    def _start_waiting(self, server: uvicorn.Server, leave: Callable[[], object]) -> None:
        self._waiting = asyncio.create_task(self._wait(server, leave))

    async def _wait(self, server: uvicorn.Server, leave: Callable[[], object]) -> None:
        with suppress(asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(self._longest_s):
                await self._finish_with_an_open_door(server)
        try:
            await _close_the_door(server)
        finally:
            leave()

    async def _finish_with_an_open_door(self, server: uvicorn.Server) -> None:
        """While calls run here, new ones are taken, whatever a process that shares the door and has ended did to it."""
        while self._running:
            for listening in _doors(server):
                greet_again(listening)
            await self.finish(LOOK_S)


async def _close_the_door(server: uvicorn.Server) -> None:
    """Let in who waits, and nobody after them."""
    for listening in _doors(server):
        greet_nobody(listening)
    await asyncio.sleep(GREETING_S)
    waiting = [caller for listening in _doors(server) for caller in greeted(listening)]
    for door in server.servers:
        door.close()
    for caller in waiting:
        await asyncio.get_running_loop().connect_accepted_socket(partial(_protocol, server), caller)


def _doors(server: uvicorn.Server) -> list[socket.socket]:
    """The sockets that callers come to."""
    return [listening for door in server.servers for listening in door.sockets]


def _protocol(server: uvicorn.Server) -> asyncio.Protocol:
    protocol = server.config.http_protocol_class
    made: asyncio.Protocol = protocol(
        config=server.config, server_state=server.server_state, app_state=server.lifespan.state
    )  # type: ignore[call-arg]
    return made


class Supervisor(Multiprocess):
    """Uvicorn's supervisor of several processes, which share one door."""

    def terminate_all(self) -> None:
        """Close our own hold of the door first: while it is open, callers come in whom nobody greets."""
        for listening in self.sockets:
            listening.close()
        super().terminate_all()
