"""Turns on one memory: never lost, never doubled, never mixed, whatever happens to who makes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.utils import timezone

from publishing import leases, memory
from publishing.db import pool
from publishing.models import Core, Entity, Partition, Turn
from tests.support.serving import database_url


@pytest_asyncio.fixture
async def inside(transactional_db: None) -> AsyncIterator[None]:
    yield
    await pool.close()


def place(core: Core, entity_id: str = "c-1", owner: str = "user_a") -> memory.MemoryKey:
    return memory.MemoryKey(core.pk, Partition.ENTITY, owner, entity_id)


def call(request_id: str, *, body: str = "", key: str | None = None, is_retry: bool = False) -> memory.Call:
    return memory.Call(request_id, "user_a", memory.fingerprint(body or request_id), key, is_retry)


def outcome(count: int, response: str = "done") -> memory.TurnResult:
    return memory.TurnResult({"count": count}, None, 1, "hello", response, 1, 1)


async def count_up(core: Core, request_id: str, *, think_s: float = 0.0) -> int:
    turn = await memory.begin(place(core), call(request_id), wait_s=20)
    await asyncio.sleep(think_s)
    return await turn.commit(outcome(turn.state.get("count", 0) + 1))


async def state(core: Core) -> dict[str, int]:
    found = await sync_to_async(Entity.objects.get)(core=core)
    return found.state


async def test_a_committed_turn_is_what_the_next_one_reads(inside: None, echo: Core) -> None:
    assert [await count_up(echo, "r1"), await count_up(echo, "r2")] == [1, 2]
    assert await state(echo) == {"count": 2}


async def test_turns_that_meet_run_one_at_a_time(inside: None, echo: Core) -> None:
    numbers = await asyncio.gather(*(count_up(echo, f"r{n}", think_s=0.002) for n in range(30)))
    assert sorted(numbers) == list(range(1, 31))
    assert await state(echo) == {"count": 30}


async def test_a_released_turn_changes_nothing(inside: None, echo: Core) -> None:
    turn = await memory.begin(place(echo), call("r1"), wait_s=1)
    await turn.release()
    assert await count_up(echo, "r2") == 1


async def test_a_busy_entity_is_refused_after_the_wait(inside: None, echo: Core) -> None:
    turn = await memory.begin(place(echo), call("r1"), wait_s=1)
    with pytest.raises(memory.LeaseTimeout):
        await memory.begin(place(echo), call("r2"), wait_s=0.05)
    await turn.release()
    assert await count_up(echo, "r3") == 1


async def test_a_lease_taken_elsewhere_is_waited_for(inside: None, echo: Core) -> None:
    await count_up(echo, "r1")
    other_process = Entity.objects.filter(core=echo)
    await sync_to_async(other_process.update)(lease="theirs", lease_until="2999-01-01T00:00Z")
    waiting = asyncio.create_task(count_up(echo, "r2"))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await sync_to_async(other_process.update)(lease=None)
    assert await waiting == 2


async def test_a_dead_process_holds_its_lease_no_longer_than_its_end(inside: None, echo: Core) -> None:
    await count_up(echo, "r1")
    await sync_to_async(Entity.objects.filter(core=echo).update)(lease="dead", lease_until="2000-01-01T00:00Z")
    assert await count_up(echo, "r2") == 2


async def test_a_commit_that_comes_after_its_lease_was_taken_over_changes_nothing(inside: None, echo: Core) -> None:
    turn = await memory.begin(place(echo), call("r1"), wait_s=1)
    await sync_to_async(Entity.objects.filter(core=echo).update)(lease="theirs")
    with pytest.raises(memory.LeaseLost):
        await turn.commit(outcome(99))
    assert await state(echo) == {}
    assert not await sync_to_async(Turn.objects.exists)()


async def test_a_commit_into_erased_memory_changes_nothing(inside: None, echo: Core) -> None:
    turn = await memory.begin(place(echo), call("r1"), wait_s=1)
    await sync_to_async(Entity.objects.all().delete)()
    with pytest.raises(memory.LeaseLost):
        await turn.commit(outcome(1))


async def test_a_commit_sent_twice_is_one_turn(inside: None, echo: Core) -> None:
    turn = await memory.begin(place(echo), call("r1"), wait_s=1)
    numbers = [await turn.commit(outcome(1)), await turn.commit(outcome(1))]
    assert numbers == [1, 1]
    assert await sync_to_async(Turn.objects.count)() == 1


async def test_a_caller_who_leaves_while_waiting_leaves_no_lease_behind(inside: None, echo: Core) -> None:
    for delay in (0, 0.0005, 0.001, 0.002, 0.004):
        leaving = asyncio.create_task(memory.begin(place(echo), call(f"leaving-{delay}"), wait_s=5))
        await asyncio.sleep(delay)
        leaving.cancel()
        done = (await asyncio.gather(leaving, return_exceptions=True))[0]
        if isinstance(done, memory.LeasedTurn):
            await done.release()
    async with asyncio.timeout(2):
        assert await count_up(echo, "after") == 1


async def test_a_retry_gives_the_recorded_answer_and_a_new_turn_does_not(inside: None, echo: Core) -> None:
    first = await memory.begin(place(echo), call("r1", body="same"), wait_s=1)
    await first.commit(outcome(1, response="said once"))
    retry = await memory.begin(place(echo), call("r2", body="same", is_retry=True), wait_s=1)
    assert retry.recorded == memory.Recorded(1, "said once", 1, 1)
    await retry.release()
    again = await memory.begin(place(echo), call("r3", body="same"), wait_s=1)
    assert again.recorded is None
    await again.release()


async def test_a_retry_of_another_body_or_after_the_window_is_a_new_turn(inside: None, echo: Core) -> None:
    first = await memory.begin(place(echo), call("r1", body="same"), wait_s=1)
    await first.commit(outcome(1))
    other = await memory.begin(place(echo), call("r2", body="other", is_retry=True), wait_s=1)
    assert other.recorded is None
    await other.release()
    await sync_to_async(Turn.objects.update)(created_at="2000-01-01T00:00Z")
    late = await memory.begin(place(echo), call("r3", body="same", is_retry=True), wait_s=1)
    assert late.recorded is None
    await late.release()


async def test_an_idempotency_key_is_one_turn_and_refuses_another_body(inside: None, echo: Core) -> None:
    first = await memory.begin(place(echo), call("r1", body="same", key="k"), wait_s=1)
    await first.commit(outcome(1))
    again = await memory.begin(place(echo), call("r2", body="same", key="k"), wait_s=1)
    assert again.recorded is not None
    await again.release()
    with pytest.raises(memory.KeyReused):
        await memory.begin(place(echo), call("r3", body="other", key="k"), wait_s=1)
    with pytest.raises(memory.KeyReused):
        await memory.begin(place(echo, "c-2"), call("r4", body="other", key="k"), wait_s=1)
    assert await count_up(echo, "r5") == 2


async def test_owners_and_entities_never_meet(inside: None, echo: Core) -> None:
    await count_up(echo, "r1")
    for other in (place(echo, "c-2"), place(echo, owner="user_b"), place(echo, owner="")):
        turn = await memory.begin(other, call(f"r-{other.owner}-{other.entity_id}"), wait_s=1)
        assert turn.state == {}
        await turn.release()


async def test_only_the_old_answers_of_keys_are_forgotten(inside: None, echo: Core) -> None:
    for partition, entity_id in ((Partition.ENTITY, "c-1"), (Partition.CALL, "old"), (Partition.CALL, "new")):
        key = memory.MemoryKey(echo.pk, partition, "user_a", entity_id)
        turn = await memory.begin(key, call(f"r-{entity_id}", key=entity_id), wait_s=1)
        await turn.commit(outcome(1))
    entities = Entity.objects.exclude(entity_id="new")
    await sync_to_async(entities.update)(updated_at=timezone.now() - timedelta(hours=25))
    await memory.forget_old_keys()
    kept = Turn.objects.order_by("entity__entity_id").values_list("entity__entity_id", flat=True)
    assert await sync_to_async(list)(kept) == ["c-1", "new"]
    assert await sync_to_async(Entity.objects.count)() == 2


@pytest_asyncio.fixture
async def hasty(inside: None, settings: LazySettings) -> None:
    """Nobody waits for the database longer than this."""
    settings.DATABASE_TIMEOUT_S = 0.3


@contextmanager
def kept_waiting() -> Iterator[None]:
    """Meanwhile whoever writes to an entity is kept waiting by somebody's lock on its row."""
    with psycopg.connect(database_url()) as blocker:
        blocker.execute("SELECT 1 FROM publishing_entity FOR UPDATE")
        yield


async def test_a_turn_that_the_database_kept_waiting_in_vain_is_not_kept_waiting_once_more(
    hasty: None, echo: Core
) -> None:
    turn = await memory.begin(place(echo), call("r1"), wait_s=1)
    with kept_waiting():
        with pytest.raises(psycopg.OperationalError):
            await turn.commit(outcome(1))
        await turn.release()  # it would wait and fail, too


@pytest.mark.parametrize("missed", ["commit", "begin"])
async def test_a_turn_that_ended_in_an_outage_gives_its_entity_back_when_the_database_is_back(
    hasty: None, echo: Core, missed: str
) -> None:
    await count_up(echo, "r0")
    turn = await memory.begin(place(echo), call("r1"), wait_s=1)
    if missed == "begin":
        await turn.release()
    with kept_waiting():
        with pytest.raises(psycopg.OperationalError):
            await (turn.commit(outcome(1)) if missed == "commit" else memory.begin(place(echo), call("r2"), wait_s=1))
        await asyncio.sleep(0.5)  # the first try to give it back is kept waiting as well
    after = await memory.begin(place(echo), call("r3"), wait_s=leases.LEASE_S / 2)
    assert await after.commit(outcome(1)) == 2


async def test_a_turn_that_was_never_committed_leaves_no_row(inside: None, echo: Core) -> None:
    for partition in (Partition.ENTITY, Partition.SINGLETON, Partition.CALL):
        key = memory.MemoryKey(echo.pk, partition, "user_a", "new")
        turn = await memory.begin(key, call(f"r-{partition.value}"), wait_s=1)
        await turn.release()
    assert not await sync_to_async(Entity.objects.exists)()


async def test_a_failing_turn_leaves_what_was_remembered_before(inside: None, echo: Core) -> None:
    await count_up(echo, "r1")
    turn = await memory.begin(place(echo), call("r2"), wait_s=1)
    await turn.release()
    assert await count_up(echo, "r3") == 2


async def test_turns_that_fail_and_turns_that_wait_never_lose_a_memory(inside: None, echo: Core) -> None:
    async def fail(request_id: str) -> None:
        await (await memory.begin(place(echo), call(request_id), wait_s=20)).release()

    acts = [fail(f"f{n}") if n % 2 else count_up(echo, f"r{n}") for n in range(20)]
    await asyncio.gather(*acts)
    assert await state(echo) == {"count": 10}


async def test_what_a_dead_process_began_is_forgotten_and_what_is_under_way_is_not(inside: None, echo: Core) -> None:
    await memory.begin(place(echo, "dead"), call("r1"), wait_s=1)
    await memory.begin(place(echo, "alive"), call("r2"), wait_s=1)
    dead = Entity.objects.filter(entity_id="dead")
    await sync_to_async(dead.update)(lease_until=timezone.now() - timedelta(hours=2))
    await memory.forget_old_keys()
    assert await sync_to_async(lambda: list(Entity.objects.values_list("entity_id", flat=True)))() == ["alive"]


async def test_a_user_has_no_more_entities_of_a_core_than_allowed(
    inside: None, echo: Core, settings: LazySettings
) -> None:
    settings.MAX_ENTITIES_PER_USER = 2
    for entity_id in ("c-1", "c-2"):
        turn = await memory.begin(place(echo, entity_id), call(f"r-{entity_id}"), wait_s=1)
        await turn.commit(outcome(1))
    with pytest.raises(memory.MemoryFull):
        await memory.begin(place(echo, "c-3"), call("r3"), wait_s=1)
    assert await count_up(echo, "r4") == 2
    other = await memory.begin(place(echo, "c-3", owner="user_b"), call("r5"), wait_s=1)
    by_key = memory.MemoryKey(echo.pk, Partition.CALL, "user_a", "k")
    for turn in (other, await memory.begin(by_key, call("r6", key="k"), wait_s=1)):
        await turn.release()
