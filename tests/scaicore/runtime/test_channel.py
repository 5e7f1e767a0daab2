"""What is put into a channel comes out in order, and nobody gets far ahead."""

import asyncio

from scaicore.runtime.channel import Channel


async def test_all_that_is_there_is_taken_at_once_and_in_order():
    channel = Channel(10, even_s=0)
    for number in range(4):
        await channel.put(number)
        assert await channel.take(1) == [number]
    for number in range(5):
        await channel.put(number)
    assert channel
    assert await channel.take(1) == [0, 1, 2, 3, 4]
    assert not channel


async def test_whoever_is_too_far_ahead_waits_until_there_is_room():
    channel = Channel(2)

    async def writes():
        for number in range(5):
            await channel.put(number)

    writing = asyncio.create_task(writes())
    found = []
    while len(found) < 5:
        await asyncio.sleep(0)
        bundle = await channel.take(1)
        assert len(bundle) <= 2
        found += bundle
    assert found == [0, 1, 2, 3, 4]
    await writing


async def test_the_first_item_does_not_wait_for_others():
    channel = Channel(100, even_s=0)
    writing = asyncio.create_task(asyncio.wait_for(_fill(channel, 50), 5))
    sizes = []
    while sum(sizes) < 50:
        sizes.append(len(await channel.take(1)))
    assert sizes[:4] == [1, 2, 4, 8]
    await writing


async def test_at_first_others_get_their_turn_after_each_item():
    channel = Channel(100)
    writing = asyncio.create_task(_fill(channel, 50))
    assert [len(await channel.take(1)) for _ in range(50)] == [1] * 50
    await writing


async def _fill(channel, count):
    for number in range(count):
        await channel.put(number)


async def test_silence_is_an_empty_bundle():
    assert await Channel(2).take(0.01) == []


async def test_whoever_was_woken_looks_again():
    channel = Channel(2)
    asyncio.get_running_loop().call_soon(channel.wake)
    assert await channel.take(30) == []


async def test_several_writers_lose_nothing():
    channel = Channel(3)

    async def writes(name):
        for number in range(20):
            await channel.put((name, number))

    writing = [asyncio.create_task(writes(name)) for name in "abc"]
    found = []
    while len(found) < 60:
        found += await channel.take(1)
    await asyncio.gather(*writing)
    assert sorted(found) == [(name, number) for name in "abc" for number in range(20)]
    for name in "abc":
        assert [number for writer, number in found if writer == name] == list(range(20))


async def test_a_writer_who_gives_up_does_not_keep_the_others_waiting():
    channel = Channel(1)
    await channel.put("first")
    gives_up, stays = (asyncio.create_task(channel.put(name)) for name in ("lost", "kept"))
    await asyncio.sleep(0)
    gives_up.cancel()
    await asyncio.sleep(0)
    assert await channel.take(1) == ["first"]
    assert await channel.take(1) == ["kept"]
    await stays
