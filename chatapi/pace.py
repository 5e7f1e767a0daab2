"""Streams that are never silent for long, and never keep the event loop to themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

Item = TypeVar("Item")


async def paced(items: AsyncGenerator[Item], silence_s: float) -> AsyncGenerator[Item | None]:
    """The items, with None in between for each `silence_s` seconds in which none came.

    Each item is awaited in a task of its own, so a generator that never waits cannot hold up other callers.
    """
    waiting: asyncio.Task[Item] | None = None
    try:
        while True:
            waiting = waiting or asyncio.create_task(_next(items))
            await asyncio.wait({waiting}, timeout=silence_s)
            if not waiting.done():
                yield None
                continue
            done, waiting = waiting, None
            try:
                item = done.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait({waiting})
        await items.aclose()


async def _next(items: AsyncGenerator[Item]) -> Item:
    return await anext(items)
