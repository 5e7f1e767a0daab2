"""Questions that wait at the same moment are asked together, in one statement.

Nothing is remembered: a question is only ever answered by a statement that was sent after it was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batcher(Generic[Question, Answer]):
    """Turns single questions into batches of at most `most`, with at most `flights` batches on their way."""

    def __init__(
        self, ask: Callable[[list[Question]], Awaitable[list[Answer]]], *, flights: int = 2, most: int = 128
    ) -> None:
        self._ask = ask
        self._flights = flights
        self._most = most
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def get(self, question: Question) -> Answer:
        """The answer to `question`; raises what `ask` raised for its batch."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if len(self._under_way) < self._flights:
            # A task of its own: one caller who leaves must not take the others' answers along.
            task = asyncio.create_task(self._fly())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return await answer

    async def _fly(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                answers = await self._ask([question for question, _ in batch])
            except Exception as error:
                _settle(batch, error)
            else:
                for (_, future), answer in zip(batch, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)


def _settle(batch: list[tuple[Question, asyncio.Future[Answer]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
