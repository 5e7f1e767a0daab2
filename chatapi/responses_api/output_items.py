"""The items of an output while they are written, each with the events that show it growing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from chatapi.chat_response import Piece
from chatapi.responses_api.items import Item, output_text
from scaicore.services import TextKind, ToolCallPart


class ResponseEvent(NamedTuple):
    """An event without its number."""

    type: str
    fields: dict[str, Any]


class PartKind(NamedTuple):
    """How one kind of text is shown: the type of its part, the field that holds it, what its events begin with."""

    type: str
    field: str
    event: str


KINDS: Final[dict[TextKind, PartKind]] = {
    "content": PartKind("output_text", "text", "response.output_text"),
    "refusal": PartKind("refusal", "refusal", "response.refusal"),
    "thought": PartKind("reasoning_text", "text", "response.reasoning_text"),
}
_NO_LOGPROBS: Final[dict[str, Any]] = {"logprobs": []}


class TextItem:
    """A message, or what a model thought, in parts one behind the other."""

    def __init__(self, place: int, item: Item) -> None:
        self.item = item
        self._place = place
        self._kind: TextKind | None = None
        self._texts: list[str] = []

    def takes(self, kind: TextKind) -> bool:
        """Whether a piece of this kind belongs here."""
        return (kind == "thought") is bool(self.item["type"] == "reasoning")

    def begin(self, kind: TextKind) -> Iterator[ResponseEvent]:
        """The item, and its first part."""
        begun = self.item | {"content": []}
        yield ResponseEvent("response.output_item.added", {"output_index": self._place, "item": begun})
        yield from self._begin_part(kind)

    def add(self, piece: Piece) -> Iterator[ResponseEvent]:
        """More of the text; another kind begins another part."""
        if piece.kind != self._kind:
            yield from self._end_part()
            yield from self._begin_part(piece.kind)
        self._texts.append(piece.text)
        yield self._told("delta", {"delta": piece.text})

    def end(self, status: str) -> Iterator[ResponseEvent]:
        """The item is done."""
        yield from self._end_part()
        self.item["status"] = status
        yield ResponseEvent("response.output_item.done", {"output_index": self._place, "item": self.item})

    def _begin_part(self, kind: TextKind) -> Iterator[ResponseEvent]:
        self._kind, self._texts = kind, []
        part = output_text("") if kind == "content" else {"type": KINDS[kind].type, KINDS[kind].field: ""}
        self.item["content"].append(part)
        yield ResponseEvent("response.content_part.added", self._where | {"part": dict(part)})

    def _end_part(self) -> Iterator[ResponseEvent]:
        kind = KINDS[self._kind or "content"]
        part = self.item["content"][-1]
        part[kind.field] = "".join(self._texts)
        yield self._told("done", {kind.field: part[kind.field]})
        yield ResponseEvent("response.content_part.done", self._where | {"part": part})

    def _told(self, what: str, fields: dict[str, Any]) -> ResponseEvent:
        kind = self._kind or "content"
        more = _NO_LOGPROBS if kind == "content" else {}
        return ResponseEvent(f"{KINDS[kind].event}.{what}", self._where | fields | more)

    @property
    def _where(self) -> dict[str, Any]:
        index = len(self.item["content"]) - 1
        return {"item_id": self.item["id"], "output_index": self._place, "content_index": index}


class CallItem:
    """A call of one of the caller's functions."""

    def __init__(self, place: int, item: Item) -> None:
        self.item = item
        self._place = place

    def begin(self) -> Iterator[ResponseEvent]:
        """The item, still without arguments."""
        yield ResponseEvent("response.output_item.added", {"output_index": self._place, "item": dict(self.item)})

    def add(self, part: ToolCallPart) -> Iterator[ResponseEvent]:
        """More of the arguments."""
        if part.arguments:
            self.item["arguments"] += part.arguments
            yield ResponseEvent("response.function_call_arguments.delta", self._where | {"delta": part.arguments})

    def end(self, status: str) -> Iterator[ResponseEvent]:
        """The call is whole."""
        self.item["status"] = status
        whole = {"name": self.item["name"], "arguments": self.item["arguments"]}
        yield ResponseEvent("response.function_call_arguments.done", self._where | whole)
        yield ResponseEvent("response.output_item.done", {"output_index": self._place, "item": self.item})

    @property
    def _where(self) -> dict[str, Any]:
        return {"item_id": self.item["id"], "output_index": self._place}
