"""Questions that wait at the same moment are asked together, in one statement.

Nothing is remembered: a question is only ever answered by a statement that was sent after it was asked. Nobody can
spoil another's answer: a batch that fails is asked again, question by question, unless the database is away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from publishing.db import outages
from publishing.db.time_limits import DatabaseSilent

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Asked(NamedTuple, Generic[Question, Answer]):
    """A question that waits: until when, by the monotonic clock, and where its answer goes."""

    question: Question
    until: float
    answer: asyncio.Future[Answer]


class Batcher(Generic[Question, Answer]):
    """Turns single questions into batches of at most `most`, with at most `flights` batches on their way.

    `ask` gets the questions and the moment, by the monotonic clock, at which it must have ended. A question waits at
    most `limit_s` seconds for its answer, until its batch leaves included: it leaves when an earlier one has ended,
    whose questions had to be answered sooner, so no question needs a timer of its own. `observe` is told of each batch:
    its size, and how many seconds it took; `on_left` of an answer that came when nobody waited for it any more.
    """

    def __init__(
        self,
        ask: Callable[[list[Question], float], Awaitable[list[Answer]]],
        *,
        limit_s: float,
        flights: int = 2,
        most: int = 128,
        observe: Callable[[int, float], None] | None = None,
        on_left: Callable[[Answer], None] | None = None,
    ) -> None:
        self._ask = ask
        self._limit_s = limit_s
        self._flights = flights
        self._most = most
        self._observe = observe
        self._on_left = on_left
        self._waiting: list[Asked[Question, Answer]] = []
        self._flying = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, question: Question) -> Answer:
        """The answer to `question`; raises what `ask` raised for it, or `DatabaseSilent`."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(Asked(question, time.monotonic() + self._limit_s, answer))
        if self._flying < self._flights:
            self._flying += 1
            # A task of its own: one caller who leaves must not take the others' answers along.
            task = asyncio.create_task(self._fly())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                self._tell_left(answer.result())
            raise

    async def _fly(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._settle(batch)
        finally:
            # At the very moment in which nobody was seen to wait: whoever asks next must not count on this one.
            self._flying -= 1

    async def _settle(self, batch: list[Asked[Question, Answer]]) -> None:
        # Those who left are not asked for.
        while batch := [asked for asked in batch if not asked.answer.done()]:
            started = time.monotonic()
            try:
                answers = await self._ask([asked.question for asked in batch], batch[0].until)
            except DatabaseSilent as error:
                # The limit of the oldest. Whoever came later has some time left, and asks again.
                now = time.monotonic()
                _fail([asked for asked in batch if asked.until <= now] or batch, error)
            except Exception as error:
                if len(batch) == 1 or outages.is_outage(error):
                    _fail(batch, error)
                    return
                for single in batch:
                    await self._settle([single])
            else:
                if self._observe is not None:
                    self._observe(len(batch), time.monotonic() - started)
                for asked, answer in zip(batch, answers, strict=True):
                    if asked.answer.done():
                        self._tell_left(answer)
                    else:
                        asked.answer.set_result(answer)
                return

    def _tell_left(self, answer: Answer) -> None:
        if self._on_left is not None:
            self._on_left(answer)


def _fail(batch: list[Asked[Question, Answer]], error: Exception) -> None:
    for asked in batch:
        if not asked.answer.done():
            asked.answer.set_exception(error)
