"""A short line between tasks: who puts in waits while there is too much, who takes out gets all that is there."""

import asyncio
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Channel(Generic[Item]):
    """Holds at most `most` items. Any task may put, one may take.

    A reader that is slower than the writers finds more at once, so that its own price is paid once for all of it. At
    first there is room for a single item, so that the first does not wait for others, and twice as much each time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
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
