"""Questions asked together are answered each by its own answer, and never from memory."""

from __future__ import annotations

import asyncio

import pytest

from publishing.db.batching import Batcher


async def test_each_question_gets_its_own_answer_and_batches_form() -> None:
    batches: list[list[int]] = []

    async def ask(questions: list[int]) -> list[int]:
        batches.append(questions)
        await asyncio.sleep(0.01)
        return [question * 2 for question in questions]

    coalescer = Batcher(ask, flights=1, most=4)
    assert await asyncio.gather(*(coalescer.get(n) for n in range(10))) == [n * 2 for n in range(10)]
    assert max(map(len, batches)) == 4


async def test_a_question_is_answered_by_a_statement_that_was_sent_after_it() -> None:
    truth = "old"

    async def ask(questions: list[int]) -> list[str]:
        await asyncio.sleep(0.01)
        seen = truth
        await asyncio.sleep(0.01)
        return [seen for _ in questions]

    coalescer = Batcher(ask, flights=1)
    early = asyncio.create_task(coalescer.get(1))
    await asyncio.sleep(0.015)
    truth = "new"
    assert await coalescer.get(2) == "new"
    assert await early == "old"


async def test_a_caller_who_leaves_takes_nobody_along() -> None:
    async def ask(questions: list[int]) -> list[int]:
        await asyncio.sleep(0.01)
        return questions

    coalescer = Batcher(ask, flights=1)
    leaving, staying = asyncio.create_task(coalescer.get(1)), asyncio.create_task(coalescer.get(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 2


async def test_a_failure_reaches_everybody_who_asked() -> None:
    async def ask(questions: list[int]) -> list[int]:
        raise OSError("away")

    coalescer = Batcher(ask)
    for outcome in await asyncio.gather(coalescer.get(1), coalescer.get(2), return_exceptions=True):
        assert isinstance(outcome, OSError)
    with pytest.raises(OSError):
        await coalescer.get(3)
