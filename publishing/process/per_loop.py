"""One of something for each event loop: what waits for others belongs to the loop in which they run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Kept = TypeVar("Kept")


class PerLoop(Generic[Kept]):
    """Made by `make` for a loop that asks for the first time, and kept as long as the loop lives."""

    def __init__(self, make: Callable[[], Kept]) -> None:
        self._make = make
        self._kept: WeakKeyDictionary[asyncio.AbstractEventLoop, Kept] = WeakKeyDictionary()

    def current(self) -> Kept:
        """The running loop's."""
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        if kept is None:
            kept = self._kept[loop] = self._make()
        return kept

    def pop(self) -> Kept | None:
        """The running loop's, which is forgotten; None when there is none."""
        return self._kept.pop(asyncio.get_running_loop(), None)
