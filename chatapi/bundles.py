"""A stream's items in bundles: what came while the last one was sent goes together, and silence is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, TypeVar

from scaicore.runtime.channel import Channel

Item = TypeVar("Item")

MOST_AHEAD: Final = 16


async def bundled(items: AsyncGenerator[Item], silence_s: float) -> AsyncGenerator[list[Item]]:
    """The items; an empty list for each `silence_s` seconds in which none came.

    They are read in a task of their own, at most `MOST_AHEAD` before they are taken, so a generator that never waits
    cannot hold up other callers.
    """
    channel: Channel[Item] = Channel(MOST_AHEAD)
    reading = asyncio.create_task(_read(items, channel))
    reading.add_done_callback(lambda _: channel.wake())
    try:
        while channel or not reading.done():
            found = await channel.take(silence_s)
            if found or not reading.done():
                yield found
        reading.result()
    finally:
        # A generator cannot be closed while it runs: first the task that reads it has to end.
        reading.cancel()
        await asyncio.wait({reading})
        await items.aclose()


async def _read(items: AsyncGenerator[Item], channel: Channel[Item]) -> None:
    async for item in items:
        await channel.put(item)
