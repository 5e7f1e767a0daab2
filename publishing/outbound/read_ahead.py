"""The body of an answer, read in a task of its own, so that all which has come is taken at once.

A server that sends word by word fills a connection faster than its words are worked through. The library gives them one
by one; waiting for each with a time limit would cost more than the word.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

MOST_AHEAD: Final = 131_072  # bytes that are read before they are asked for: two reads of a connection
# What has come in tiny pieces is worked through without ever waiting for the network; others must get their turn. The
# first piece gets its own at once, since somebody waits for the first word; then twice as many each time.
PIECES_A_TURN: Final = 64


class ReadAhead:
    """Gives all bytes that have come and were not taken. One at a time may take."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._came: list[bytes] = []
        self._size = 0
        self._reading: asyncio.Task[None] | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None

    async def take(self) -> bytes | None:
        """The next bytes, None at the end. Raises what the reading raised, once all that came before is taken."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(lambda _: _wake(self._arrival))
        if not self._came and not self._reading.done():
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        if not self._came:
            self._reading.result()
            return None
        came = self._came[0] if len(self._came) == 1 else b"".join(self._came)
        self._came.clear()
        self._size = 0
        _wake(self._room)
        return came

    async def stop(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
            if not self._reading.cancelled():
                self._reading.exception()  # nobody waits for it any more

    async def _read(self) -> None:
        count, turn = 0, 1
        async for piece in self._pieces:
            count += 1
            self._came.append(piece)
            self._size += len(piece)
            _wake(self._arrival)
            if self._size >= MOST_AHEAD:
                self._room = asyncio.get_running_loop().create_future()
                await self._room
            elif count >= turn:
                count, turn = 0, min(2 * turn, PIECES_A_TURN)
                await asyncio.sleep(0)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
