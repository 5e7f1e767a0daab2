"""What a chat answer looks like: a whole body, or the chunks of a stream.

The shapes are OpenAI's. Fields are declared in the order in which they are sent; `msgspec` leaves unset ones out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from scaicore.services import TextKind, ToolCall, ToolCallPart

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
_encoder = msgspec.json.Encoder()
# Valid in JSON, yet line ends to Python's `splitlines` and others, which cut a frame or a log line there.
_LINE_ENDS = tuple((mark.encode(), f"\\u{ord(mark):04x}".encode()) for mark in "\u0085\u2028\u2029")


# Under which field of the message a piece of a reply stands.
FIELDS: Final[dict[TextKind, str]] = {"content": "content", "refusal": "refusal", "thought": "reasoning_content"}


class Piece(NamedTuple):
    """A piece of a reply: its text, the words in which a model declines, or what it thinks before it answers."""

    text: str
    kind: TextKind = "content"


class Reply(NamedTuple):
    """A whole reply, by the kinds of its pieces, and the calls of the caller's tools that stand beside it."""

    content: str
    refusal: str = ""
    thought: str = ""
    calls: tuple[ToolCall, ...] = ()

    @classmethod
    def joined(cls, pieces: Sequence[Piece], calls: tuple[ToolCall, ...] = ()) -> Reply:
        """The reply that these pieces make."""
        if len(pieces) == 1 and pieces[0].kind == "content":
            return cls(pieces[0].text, calls=calls)
        content, refusal, thought = ("".join(piece.text for piece in pieces if piece.kind == kind) for kind in FIELDS)
        return cls(content, refusal, thought, calls)


class Tokens(Struct, frozen=True):
    """Three integers; the last is the sum of the others."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AssistantMessage(Struct, frozen=True):
    """The assistant's message. A model that declines has a refusal in place of content, or behind it."""

    content: str | None
    role: str = "assistant"
    refusal: str | None = None
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[dict[str, Any]] | UnsetType = UNSET


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
    refusal: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[dict[str, Any]] | UnsetType = UNSET


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
    if encoded.isascii():
        return encoded
    for mark, escaped in _LINE_ENDS:
        encoded = encoded.replace(mark, escaped)
    return encoded


def render_whole(label: Label, reply: Reply, finish_reason: FinishReason, tokens: Tokens) -> bytes:
    """The body of a whole answer."""
    message = AssistantMessage(
        content=None if (reply.refusal or reply.calls) and not reply.content else reply.content,
        refusal=reply.refusal or None,
        reasoning_content=reply.thought or UNSET,
        tool_calls=[call.as_message_part() for call in reply.calls] if reply.calls else UNSET,
    )
    choice = Choice(message=message, finish_reason=finish_reason)
    return encode(Completion(label.id, label.created, label.model, [choice], tokens))


def _call_delta(part: ToolCallPart) -> dict[str, Any]:
    """A part of a call, as clients put calls together: id, type and name once, the arguments in pieces."""
    if not part.name:
        return {"index": part.index, "function": {"arguments": part.arguments}}
    function = {"name": part.name, "arguments": part.arguments}
    return {"index": part.index, "id": part.id, "type": "function", "function": function}


class ChunkWriter:
    """Makes the frames of one stream, in the order in which clients expect them."""

    def __init__(self, label: Label, *, has_usage: bool) -> None:
        self._label = label
        self._usage: UnsetType | None = None if has_usage else UNSET
        # All that a word's chunk shares with the next one's is encoded once. No name holds a NUL.
        self._before, self._behind = self._frame(Delta(content="\0")).split(b'"\\u0000"')

    def opening(self) -> bytes:
        """The first frame: the role."""
        return self._frame(Delta(role="assistant", content=""))

    def piece(self, piece: Piece | ToolCallPart) -> bytes:
        """A piece of the message."""
        if piece.kind == "content":
            return self._before + encode(piece.text) + self._behind
        if piece.kind == "tool_call":
            return self._frame(Delta(tool_calls=[_call_delta(piece)]))
        added: dict[str, Any] = {FIELDS[piece.kind]: piece.text}
        return self._frame(Delta(**added))

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
