"""The answer of a turn that was committed before, given again: nothing runs, nothing is written, nothing is counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from chatapi.chat_response import FinishReason, Tokens
from chatapi.stops import StopFilter
from publishing import memory


class Replay:
    """Gives a recorded reply like a run gives its own."""

    def __init__(self, turn: memory.LeasedTurn, recorded: memory.Recorded, stop: tuple[str, ...]) -> None:
        spent = (recorded.prompt_tokens, recorded.completion_tokens)
        self.tokens = Tokens(*spent, sum(spent))
        self.finish_reason: FinishReason = "stop"
        self.output: dict[str, Any] = {"response": recorded.response}
        self._turn = turn
        self._reply = recorded.response
        self._stops = StopFilter(stop)

    async def text(self) -> AsyncGenerator[str]:
        """The reply, in one piece."""
        await self.aclose()
        if shown := self._stops.feed(self._reply) + self._stops.rest():
            yield shown

    async def aclose(self) -> None:
        """Give the memory back as it was."""
        await self._turn.release()
