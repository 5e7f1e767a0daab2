"""What a chat answer looks like: a whole body, or the chunks of a stream, and where stop sequences cut it.

The shapes are OpenAI's. Fields are declared in the order in which they are sent; `msgspec` leaves unset ones out.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

FinishReason = Literal["stop", "length", "tool_calls"]

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
_encoder = msgspec.json.Encoder()
# Valid in JSON, yet line ends to Python's `splitlines` and others, which cut a frame or a log line there.
_LINE_ENDS = tuple((mark.encode(), f"\\u{ord(mark):04x}".encode()) for mark in "\u0085\u2028\u2029")


class Tokens(Struct, frozen=True):
    """Three integers; the last is the sum of the others."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AssistantMessage(Struct, frozen=True):
    """The assistant's message."""

    content: str
    role: str = "assistant"
    refusal: None = None


class Choice(Struct, frozen=True):
    """The one choice of a whole answer."""

    message: AssistantMessage
    finish_reason: FinishReason
    index: int = 0
    logprobs: None = None


class Completion(Struct, frozen=True):
    """A whole answer."""

    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: Tokens
    object: str = "chat.completion"


class Delta(Struct, frozen=True):
    """What a chunk adds to the message."""

    role: str | UnsetType = UNSET
    content: str | UnsetType = UNSET


class ChunkChoice(Struct, frozen=True):
    """The one choice of a chunk."""

    delta: Delta
    finish_reason: FinishReason | None = None
    index: int = 0
    logprobs: None = None


class Chunk(Struct, frozen=True):
    """One chunk of a stream. `usage` is sent only when the caller asked for it, and is null in all but the last."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Tokens | UnsetType | None = UNSET
    object: str = "chat.completion.chunk"


class Label(Struct, frozen=True):
    """What all chunks of one answer share. `created` in Unix seconds."""

    id: str
    created: int
    model: str


def encode(value: Any) -> bytes:
    """`value` as JSON on one line, whatever the reader takes for a line's end."""
    encoded = _encoder.encode(value)
    for mark, escaped in _LINE_ENDS:
        encoded = encoded.replace(mark, escaped)
    return encoded


def render_whole(label: Label, text: str, finish_reason: FinishReason, tokens: Tokens) -> bytes:
    """The body of a whole answer."""
    choice = Choice(message=AssistantMessage(content=text), finish_reason=finish_reason)
    return encode(Completion(label.id, label.created, label.model, [choice], tokens))


class ChunkWriter:
    """Makes the frames of one stream, in the order in which clients expect them."""

    def __init__(self, label: Label, *, has_usage: bool) -> None:
        self._label = label
        self._usage: UnsetType | None = None if has_usage else UNSET

    def opening(self) -> bytes:
        """The first frame: the role."""
        return self._frame(Delta(role="assistant", content=""))

    def text(self, text: str) -> bytes:
        """A piece of the message."""
        return self._frame(Delta(content=text))

    def closing(self, finish_reason: FinishReason, tokens: Tokens) -> bytes:
        """The finish reason, the usage if it was asked for, and the end."""
        end = self._frame(Delta(), finish_reason)
        return end + (b"" if self._usage is UNSET else self._chunk([], tokens)) + DONE

    def failure(self, error_object: dict[str, Any]) -> bytes:
        """An error in the middle of the stream: no finish reason, so that no client takes it for success."""
        return b"data: " + encode(error_object) + b"\n\n" + DONE

    def _frame(self, delta: Delta, finish_reason: FinishReason | None = None) -> bytes:
        return self._chunk([ChunkChoice(delta, finish_reason)], self._usage)

    def _chunk(self, choices: list[ChunkChoice], usage: Tokens | UnsetType | None) -> bytes:
        chunk = Chunk(self._label.id, self._label.created, self._label.model, choices, usage)
        return b"data: " + encode(chunk) + b"\n\n"


class StopFilter:
    """Passes text on until a stop sequence is complete, also when it is split over pieces.

    Of several, the one that is complete first counts, so that the cut does not depend on how the text arrives.
    """

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._held = ""
        self.is_stopped = False

    def feed(self, text: str) -> str:
        """The part of what has arrived that can be shown now."""
        if self.is_stopped or not self._stops:
            return "" if self.is_stopped else text
        self._held += text
        found = [(start + len(stop), start) for stop in self._stops if (start := self._held.find(stop)) >= 0]
        if found:
            self.is_stopped = True
            shown, self._held = self._held[: min(found)[1]], ""
            return shown
        keep = max(self._overlap(stop) for stop in self._stops)
        cut = len(self._held) - keep
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def rest(self) -> str:
        """What was held back in case it began a stop sequence, now that nothing follows."""
        held, self._held = self._held, ""
        return held

    def _overlap(self, stop: str) -> int:
        """How many characters at the end of the held text may be the beginning of `stop`."""
        most = min(len(stop) - 1, len(self._held))
        return next((size for size in range(most, 0, -1) if self._held.endswith(stop[:size])), 0)
