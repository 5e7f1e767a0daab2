"""The events of a stream, in OpenAI's order. A whole answer is what the last of them shows, so both are made here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

from chatapi.chat_response import FinishReason, Piece, Reply, Tokens, encode
from chatapi.replays import Result, call_parts
from chatapi.responses_api.items import Item
from chatapi.responses_api.output_items import CallItem, ResponseEvent, TextItem
from chatapi.responses_api.response_object import ResponseLabel, failed_object, finished_object, response_object
from scaicore.services import TextKind, ToolCallPart

# What of an item stands before the text: its prefix and its fields.
MESSAGE: Final[tuple[str, Item]] = ("msg", {"type": "message", "role": "assistant"})
REASONING: Final[tuple[str, Item]] = ("rs", {"type": "reasoning", "summary": []})


class EventWriter:
    """Makes the events of one stream, and puts the items of its output together meanwhile.

    A message or a thought is done when something else begins. Calls stay open until the end: pieces of several may
    come mixed.
    """

    def __init__(self, label: ResponseLabel) -> None:
        self.output: list[Item] = []
        self._label = label
        self._number = 0
        self._text: TextItem | None = None
        self._calls: dict[int, CallItem] = {}
        self._ended: tuple[ResponseEvent, ...] = ()

    def opening(self) -> bytes:
        """The response as it begins."""
        begun = {"response": response_object(self._label, "in_progress", [])}
        return self._frames(ResponseEvent(f"response.{name}", begun) for name in ("created", "in_progress"))

    def piece(self, piece: Piece | ToolCallPart) -> bytes:
        """A piece of a text or of a call."""
        return self._frames(self._add(piece))

    def closing(self, finish_reason: FinishReason, tokens: Tokens) -> bytes:
        """What is open is done, and so is the response."""
        return self._frames(self._ended or self._end(finish_reason, tokens))

    def finished(self, result: Result) -> dict[str, Any]:
        """The whole response, before anybody is shown its end: of what was written, or else of the reply."""
        if not self.output:
            self._write(result.reply)
        self._ended = tuple(self._end(result.finish_reason, result.tokens))
        response: dict[str, Any] = self._ended[-1].fields["response"]
        return response

    def failure(self, error_object: dict[str, Any]) -> bytes:
        """An error in the middle of the stream: the response has failed, so that no client takes it for success."""
        error = error_object["error"]
        fields = {name: error[name] for name in ("code", "message", "param")}
        failed = {"response": self.failed(error)}
        return self._frames((ResponseEvent("error", fields), ResponseEvent("response.failed", failed)))

    def failed(self, error: dict[str, Any]) -> dict[str, Any]:
        """The response that ends here, with as much of its output as there is."""
        deque(self._end_items("incomplete"), maxlen=0)
        return failed_object(self._label, self.output, error)

    def cancelled(self) -> dict[str, Any]:
        """The response whose caller left, with as much of its output as there is."""
        deque(self._end_items("incomplete"), maxlen=0)
        return response_object(self._label, "cancelled", self.output)

    def _write(self, reply: Reply) -> None:
        texts = (Piece(reply.thought, "thought"), Piece(reply.content), Piece(reply.refusal, "refusal"))
        pieces: list[Piece | ToolCallPart] = [piece for piece in texts if piece.text]
        for piece in [*pieces, *call_parts(reply.calls)]:
            deque(self._add(piece), maxlen=0)

    def _add(self, piece: Piece | ToolCallPart) -> Iterator[ResponseEvent]:
        if isinstance(piece, ToolCallPart):
            yield from self._add_call(piece)
            return
        if self._text is None or not self._text.takes(piece.kind):
            yield from self._end_text("completed")
            yield from self._begin_text(piece.kind)
        if self._text is not None:
            yield from self._text.add(piece)

    def _begin_text(self, kind: TextKind) -> Iterator[ResponseEvent]:
        prefix, fields = REASONING if kind == "thought" else MESSAGE
        item_id = self._label.output_id(prefix, len(self.output))
        self._text = TextItem(len(self.output), {"id": item_id, **fields, "content": [], "status": "in_progress"})
        self.output.append(self._text.item)
        yield from self._text.begin(kind)

    def _end_text(self, status: str) -> Iterator[ResponseEvent]:
        ended, self._text = self._text, None
        if ended is not None:
            yield from ended.end(status)

    def _add_call(self, part: ToolCallPart) -> Iterator[ResponseEvent]:
        call = self._calls.get(part.index)
        if call is None:
            yield from self._end_text("completed")
            item_id = self._label.output_id("fc", len(self.output))
            item = {"id": item_id, "type": "function_call", "call_id": part.id, "name": part.name, "arguments": ""}
            call = self._calls[part.index] = CallItem(len(self.output), item | {"status": "in_progress"})
            self.output.append(call.item)
            yield from call.begin()
        yield from call.add(part)

    def _end(self, finish_reason: FinishReason, tokens: Tokens) -> Iterator[ResponseEvent]:
        """An answer without any word is an empty message."""
        if not self.output:
            yield from self._begin_text("content")
        response = finished_object(self._label, self.output, finish_reason, tokens)
        status = "completed" if finish_reason in ("stop", "tool_calls") else "incomplete"
        yield from self._end_items(status)
        yield ResponseEvent(f"response.{response['status']}", {"response": response})

    def _end_items(self, status: str) -> Iterator[ResponseEvent]:
        yield from self._end_text(status)
        calls, self._calls = self._calls, {}
        for call in calls.values():
            yield from call.end(status)

    def _frames(self, events: Iterable[ResponseEvent]) -> bytes:
        return b"".join(map(self._frame, events))

    def _frame(self, event: ResponseEvent) -> bytes:
        data = encode({"type": event.type, "sequence_number": self._number, **event.fields})
        self._number += 1
        return b"event: " + event.type.encode() + b"\ndata: " + data + b"\n\n"
