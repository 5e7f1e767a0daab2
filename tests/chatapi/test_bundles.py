"""What came while the last frame was sent goes out together; silence and failures are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from chatapi.bundles import MOST_AHEAD, bundled
from scaicore.runtime.channel import EVEN_S


class Source:
    """Counts what was read of it, and notes when it is closed."""

    def __init__(self, *items: str | float | Exception) -> None:
        self._items = items
        self.read = 0
        self.is_closed = False

    async def items(self) -> AsyncGenerator[str]:
        """Each item; a number is a pause in seconds."""
        try:
            for item in self._items:
                if isinstance(item, float):
                    await asyncio.sleep(item)
                elif isinstance(item, Exception):
                    raise item
                else:
                    self.read += 1
                    yield item
        finally:
            self.is_closed = True


async def test_nothing_is_lost_and_the_order_stays() -> None:
    source = Source(*map(str, range(10)), EVEN_S, *map(str, range(10, 100)))
    found = [bundle async for bundle in bundled(source.items(), 5)]
    assert [item for bundle in found for item in bundle] == list(map(str, range(100)))
    assert [len(bundle) for bundle in found[:10]] == [1] * 10
    assert len(found) < 100
    assert max(map(len, found)) <= MOST_AHEAD
    assert source.is_closed


async def test_each_silence_is_an_empty_bundle() -> None:
    found = [bundle async for bundle in bundled(Source("a", 0.25, "b").items(), 0.1)]
    assert found == [["a"], [], [], ["b"]]


async def test_a_failure_comes_behind_what_was_said_before() -> None:
    found = []
    with pytest.raises(ValueError, match="broken"):
        async for bundle in bundled(Source("a", "b", ValueError("broken")).items(), 5):
            found += bundle
    assert found == ["a", "b"]


async def test_a_slow_reader_holds_the_source_back() -> None:
    source = Source(*map(str, range(1000)))
    async with aclosing(bundled(source.items(), 5)) as bundles:
        await anext(bundles)
        await asyncio.sleep(0.05)
        assert source.read <= 2 * MOST_AHEAD + 1
    assert source.is_closed


async def test_whoever_stops_reading_closes_the_source() -> None:
    source = Source("a", 30.0, "b")
    async with aclosing(bundled(source.items(), 5)) as bundles:
        assert await anext(bundles) == ["a"]
    assert source.is_closed
