"""The head of an answer goes out with the first piece of its body: one system call in place of two, one packet too."""

from __future__ import annotations

import asyncio
from typing import Final

_INTERIM: Final = b"HTTP/1.1 100 "


class JoinedWrites:
    """What the answers of one connection are written to, in place of its transport.

    ASGI says that a head is not sent before the first piece of the body, so it may wait for that.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None
        self._is_in_body = False

    def write(self, data: bytes) -> None:
        """Send a piece of an answer. The first one is the head, which waits for the second."""
        if self._is_in_body:
            self._transport.write(data)
        elif self._head is not None:
            self._is_in_body = True
            self._transport.write(self._head + data)
        elif data.startswith(_INTERIM):
            self._transport.write(data)
        else:
            self._head = data

    def end(self) -> None:
        """The answer is whole, whether or not it had a body; what is written next is another's head."""
        if self._head is not None and not self._is_in_body:
            self._transport.write(self._head)
        self._head, self._is_in_body = None, False

    def close(self) -> None:
        """Close the connection behind what was written."""
        self.end()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._transport.is_closing()
