"""What a run gave, and the answer of a turn that was committed before, given again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

import scaicore
from chatapi.chat_response import FinishReason, Piece, Reply, Tokens
from publishing import memory
from publishing.limits import Taken
from publishing.registry import LiveCore
from scaicore.services import ToolCall, ToolCallPart
from scaicore.stop_sequences import StopFilter

LONGEST_THOUGHT: Final = 1_000_000  # characters that a turn keeps


class Result(NamedTuple):
    """What a run gave: `reply` is cut at the caller's stop sequences, `output` is the whole output of the flow.

    `has_reported_usage`: the tokens are what the models reported, not our own count of the words.
    """

    reply: Reply
    output: dict[str, Any]
    tokens: Tokens
    finish_reason: FinishReason
    has_reported_usage: bool


class Replay:
    """The answer of a turn that was committed before, given again: nothing runs, and nothing is written or counted."""

    def __init__(self, core: LiveCore, user_id: str, recorded: memory.Recorded, stop: tuple[str, ...]) -> None:
        self.core = core
        self.user_id = user_id
        self.taken: tuple[Taken, ...] = ()
        stops = StopFilter(stop)
        beside = recorded.beside or {}
        refusal, calls = beside.get("refusal", ""), tuple(ToolCall(**call) for call in beside.get("tool_calls", ()))
        text = recorded.response.removesuffix(refusal)
        reply = Reply(stops.feed(text) + stops.rest(), refusal, beside.get("thought", ""), calls)
        output: dict[str, Any] = {"response": recorded.response}
        if calls:
            output["tool_calls"] = [call.as_message_part() for call in calls]
        spent = (recorded.prompt_tokens, recorded.completion_tokens)
        self._result = Result(reply, output, Tokens(*spent, sum(spent)), beside.get("finish_reason", "stop"), True)

    async def text(self) -> AsyncGenerator[Piece | ToolCallPart]:
        """The reply, in one piece of each kind."""
        reply = self._result.reply
        for piece in (Piece(reply.thought, "thought"), Piece(reply.content), Piece(reply.refusal, "refusal")):
            if piece.text:
                yield piece
        for part in call_parts(reply.calls):
            yield part

    async def finish(self) -> Result:
        """What the run gave when it ran."""
        return self._result

    async def aclose(self) -> None:
        """Nothing: the memory was given back before the replay began."""


def call_parts(calls: Sequence[ToolCall]) -> list[ToolCallPart]:
    """Whole calls as parts of a stream."""
    return [ToolCallPart(index, call.id, call.name, call.arguments) for index, call in enumerate(calls)]


def beside_the_text(event: scaicore.Finished, shown: Sequence[Piece]) -> dict[str, Any] | None:
    """What a turn keeps of its answer besides the text, so that it can be given again; None for a plain answer."""
    thought = "".join(piece.text for piece in shown if piece.kind == "thought")
    calls = [
        msgspec.structs.asdict(call) | {"arguments": _storable(call.arguments), "name": _storable(call.name)}
        for call in event.tool_calls
    ]
    if event.finish_reason == "stop" and not (thought or event.refusal or calls):
        return None
    return {
        "finish_reason": event.finish_reason,
        "refusal": _storable(event.refusal),
        "thought": _storable(thought[:LONGEST_THOUGHT]),
        "tool_calls": calls,
    }


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL, and an answer that was paid for must not be lost over one."""
    return text.replace("\0", "")
