"""Questions asked together are answered each by its own answer, and never from memory."""

from __future__ import annotations

import asyncio
import time

import psycopg

from publishing.db.batching import Batcher
from publishing.db.time_limits import DatabaseSilent


async def test_each_question_gets_its_own_answer_and_batches_form() -> None:
    batches: list[list[int]] = []

    async def ask(questions: list[int], _until: float) -> list[int]:
        batches.append(questions)
        await asyncio.sleep(0.01)
        return [question * 2 for question in questions]

    batcher = Batcher(ask, limit_s=5, flights=1, most=4)
    assert await asyncio.gather(*(batcher.get(n) for n in range(10))) == [n * 2 for n in range(10)]
    assert max(map(len, batches)) == 4


async def test_a_question_is_answered_by_a_statement_that_was_sent_after_it() -> None:
    truth = "old"

    async def ask(questions: list[int], _until: float) -> list[str]:
        await asyncio.sleep(0.01)
        seen = truth
        await asyncio.sleep(0.01)
        return [seen for _ in questions]

    batcher = Batcher(ask, limit_s=5, flights=1)
    early = asyncio.create_task(batcher.get(1))
    await asyncio.sleep(0.015)
    truth = "new"
    assert await batcher.get(2) == "new"
    assert await early == "old"


async def test_a_caller_who_leaves_takes_nobody_along() -> None:
    async def ask(questions: list[int], _until: float) -> list[int]:
        await asyncio.sleep(0.01)
        return questions

    batcher = Batcher(ask, limit_s=5, flights=1)
    leaving, staying = asyncio.create_task(batcher.get(1)), asyncio.create_task(batcher.get(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 2


async def test_a_question_that_fails_spoils_no_other_in_its_batch() -> None:
    batches: list[list[int]] = []

    async def ask(questions: list[int], _until: float) -> list[int]:
        batches.append(questions)
        await asyncio.sleep(0.01)
        if 2 in questions:
            raise ValueError("not a question")
        return questions

    batcher = Batcher(ask, limit_s=5, flights=1)
    first, *others = await asyncio.gather(*(batcher.get(n) for n in (1, 2, 3)), return_exceptions=True)
    assert (first, others[1]) == (1, 3)
    assert isinstance(others[0], ValueError)
    assert batches == [[1, 2, 3], [1], [2], [3]]


async def test_a_database_that_is_away_is_asked_once_for_all_of_a_batch() -> None:
    batches: list[list[int]] = []

    async def ask(questions: list[int], _until: float) -> list[int]:
        batches.append(questions)
        raise psycopg.OperationalError("away")

    batcher = Batcher(ask, limit_s=5, flights=1)
    outcomes = await asyncio.gather(batcher.get(1), batcher.get(2), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {psycopg.OperationalError}
    assert batches == [[1, 2]]


class Silence:
    """A database that says nothing until `over`."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    async def ask(self, questions: list[int], until: float) -> list[int]:
        try:
            async with asyncio.timeout(until - time.monotonic()):
                await self.over.wait()
        except TimeoutError:
            raise DatabaseSilent("no answer in time") from None
        return questions


async def test_the_wait_for_a_batch_is_part_of_the_time_limit() -> None:
    silence = Silence()
    batcher = Batcher(silence.ask, limit_s=0.1, flights=1)
    started = time.monotonic()
    first, second = asyncio.create_task(batcher.get(1)), asyncio.create_task(batcher.get(2))
    await asyncio.sleep(0.05)
    third = asyncio.create_task(batcher.get(3))
    outcomes = await asyncio.gather(first, second, third, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DatabaseSilent}
    assert time.monotonic() - started < 1
    silence.over.set()
    assert await batcher.get(4) == 4


async def test_who_came_later_is_not_given_up_with_who_waited_longest() -> None:
    silence = Silence()
    batcher = Batcher(silence.ask, limit_s=0.4, flights=1)
    tasks = [asyncio.create_task(batcher.get(0))]
    for number in (1, 2):
        await asyncio.sleep(0.15)
        tasks.append(asyncio.create_task(batcher.get(number)))
    outcomes = await asyncio.gather(*tasks[:2], return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DatabaseSilent}
    silence.over.set()
    assert await tasks[2] == 2


async def test_a_question_that_is_asked_as_the_last_batch_ends_is_not_left_behind() -> None:
    async def ask(questions: list[int], _until: float) -> list[int]:
        await asyncio.sleep(0)
        return questions

    batcher = Batcher(ask, limit_s=5, flights=1)
    async with asyncio.timeout(20):
        # Whoever was just answered goes on before the loop has told anybody else that the batch is done.
        for number in range(10):
            assert await batcher.get(number) == number
