"""What has come of a body is taken at once, bounded, and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from publishing.outbound.read_ahead import MOST_AHEAD, ReadAhead


async def test_the_first_piece_is_given_at_once_and_all_that_came_behind_it_together() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for word in (b"a", b"b", b"c"):
            yield word
        await asyncio.sleep(0.01)
        yield b"d"

    ahead = ReadAhead(pieces())
    assert [await ahead.take() for _ in range(4)] == [b"a", b"bc", b"d", None]


async def test_a_reader_who_takes_nothing_is_read_ahead_of_by_so_much_and_no_more() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1024

    ahead = ReadAhead(endless())
    assert len(await ahead.take() or b"") >= 1024
    await asyncio.sleep(0.05)
    before = read
    await asyncio.sleep(0.05)
    assert read == before <= 2 * MOST_AHEAD // 1024
    assert len(await ahead.take() or b"") == MOST_AHEAD
    await ahead.stop()


async def test_a_failure_comes_behind_what_came_before_it() -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"a"
        raise ConnectionResetError

    ahead = ReadAhead(breaking())
    assert await ahead.take() == b"a"
    with pytest.raises(ConnectionResetError):
        await ahead.take()
    await ahead.stop()


async def test_one_who_waits_may_be_cancelled_and_the_reading_stopped() -> None:
    is_closed = False

    async def silent() -> AsyncIterator[bytes]:
        nonlocal is_closed
        try:
            await asyncio.sleep(60)
            yield b""
        finally:
            is_closed = True

    ahead = ReadAhead(silent())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ahead.take()
    await ahead.stop()
    assert is_closed
