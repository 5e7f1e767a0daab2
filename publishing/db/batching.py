"""Questions that wait at the same moment are asked together, in one statement.

Nothing is remembered: a question is only ever answered by a statement that was sent after it was asked. Nobody can
spoil another's answer: a batch that fails is asked again, question by question, unless the database is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from publishing.db import outages
from publishing.db.time_limits import DatabaseSilent

Question = TypeVar("Question")
Answer = TypeVar("Answer")


def _give_up(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(DatabaseSilent("no answer in time"))


class Batcher(Generic[Question, Answer]):
    """Turns single questions into batches of at most `most`, with at most `flights` batches on their way.

    A question waits at most `limit_s` seconds for its answer, until its batch leaves included.
    """

    def __init__(
        self,
        ask: Callable[[list[Question]], Awaitable[list[Answer]]],
        *,
        limit_s: float,
        flights: int = 2,
        most: int = 128,
    ) -> None:
        self._ask = ask
        self._limit_s = limit_s
        self._flights = flights
        self._most = most
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def get(self, question: Question) -> Answer:
        """The answer to `question`; raises what `ask` raised for it, or `DatabaseSilent`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        if len(self._under_way) < self._flights:
            # A task of its own: one caller who leaves must not take the others' answers along.
            task = asyncio.create_task(self._fly())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        timer = loop.call_later(self._limit_s, _give_up, answer)
        try:
            return await answer
        finally:
            timer.cancel()

    async def _fly(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            # Those who left, or waited too long, are not asked for.
            if wanted := [(question, answer) for question, answer in batch if not answer.done()]:
                await self._settle(wanted)

    async def _settle(self, batch: list[tuple[Question, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._ask([question for question, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not outages.is_outage(error):
                for single in batch:
                    await self._settle([single])
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
