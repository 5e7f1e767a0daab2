"""A short line between tasks: who puts in waits while there is too much, who takes out gets all that is there."""

import asyncio
import time
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

EVEN_S: Final = 0.25


class Channel(Generic[Item]):
    """Holds at most `most` items. Any task may put, one may take.

    A reader that is slower than the writers finds more at once, so that its own price is paid once for all of it. At
    first there is room for a single item, so that the first does not wait for others; after `even_s` seconds
    twice as much each time. Until then others that begin at the same moment get their turn after each single item.
    """

    def __init__(self, most: int, even_s: float = EVEN_S) -> None:
        self._most = most
        self._grows_at = time.monotonic() + even_s
        self._room = 1
        self._items: list[Item] = []
        self._arrival: asyncio.Future[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []

    def __bool__(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._items)

    async def put(self, item: Item) -> None:
        """Add an item, once there is room."""
        while len(self._items) >= self._room:
            room = asyncio.get_running_loop().create_future()
            self._waiting.append(room)
            await room
        self._items.append(item)
        self.wake()

    async def take(self, seconds: float) -> list[Item]:
        """All items that are there; none when nothing came in time, or when the one who takes was woken."""
        if not self._items:
            loop = asyncio.get_running_loop()
            self._arrival = loop.create_future()
            timer = loop.call_later(seconds, self.wake)
            try:
                await self._arrival
            finally:
                timer.cancel()
                self._arrival = None
        items, self._items = self._items, []
        if self._room < self._most and time.monotonic() >= self._grows_at:
            self._room = min(2 * self._room, self._most)
        waiting, self._waiting = self._waiting, []
        for room in waiting:
            if not room.done():
                room.set_result(None)
        return items

    def wake(self) -> None:
        """Let the one who takes look again."""
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
