"""Whoever leaves before the answer is there ends the work on it."""

from __future__ import annotations

import asyncio
from typing import Final, Self, cast

from chatapi.asgi_types import Receive

# Most answers are there before it is worth watching whether their caller has left.
PATIENCE_S: Final = 0.05


class CallerWatch:
    """A block that is cancelled when the caller has left, and then ends without an error; `has_left` says so.

    It begins to look after `PATIENCE_S`: until then it costs one timer, and no task. Like `asyncio.timeout`, it takes
    its own cancellation for its own and lets every other one through. The request must have been read.
    """

    def __init__(self, receive: Receive) -> None:
        self.has_left = False
        self._receive = receive
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Watch over the current task."""
        self._task = cast("asyncio.Task[object]", asyncio.current_task())
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self.begin)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """Look no longer."""
        self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()
        return self.has_left and self._task.uncancel() == 0 and kind is asyncio.CancelledError

    def begin(self) -> None:
        """Look from now on: a stream whose caller has left is not to be worked on any longer."""
        self._timer.cancel()
        self._looking = self._looking or asyncio.create_task(self._look())

    async def _look(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.has_left = self._task.cancel()
