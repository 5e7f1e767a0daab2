"""What an OpenAI-compatible server answers, read with distrust: whole, or chunk by chunk."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from publishing.clients import lenient_json
from publishing.clients.model_calls import CallReader
from publishing.clients.model_refusals import refusal_in
from publishing.clients.text_halves import HalfJoiner
from publishing.clients.thinking import TAGS, Split, ThinkingFilter
from scaicore.model_options import ModelOptions
from scaicore.services import (
    FinishReason,
    ModelEnd,
    ModelPart,
    ModelRefusal,
    ModelText,
    ModelThought,
    Reason,
    ServiceFailed,
)

DONE: Final = b"[DONE]"
MOST_TOKENS: Final = 2**31 - 1

# The words of other protocols that show through; whatever is not listed is an end like any other.
FINISH_REASONS: Final[dict[str, FinishReason]] = {
    **dict.fromkeys(("length", "max_tokens", "model_length", "max_output_tokens", "token_limit"), "length"),
    **dict.fromkeys(
        ("content_filter", "content_filtered", "safety", "recitation", "prohibited_content", "blocklist", "spii"),
        "content_filter",
    ),
    **dict.fromkeys(("refusal", "guardrail_intervened", "sensitive"), "content_filter"),
}
BROKEN_OFF: Final = frozenset(
    ("error", "abort", "aborted", "cancelled", "network_error", "insufficient_system_resource")
)

THOUGHTS: Final = ("thinking", "reasoning")  # the types of a content's parts that hold no answer


class ReplyMessage(msgspec.Struct):
    """A message, or what a chunk adds to it. Its text is a string or a list of parts; thinking has two names."""

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: Any = None


class ReplyChoice(msgspec.Struct):
    """The answer under an index; `message` in a whole answer, `delta` in a chunk, `text` in older servers."""

    index: Any = 0
    message: ReplyMessage | None = None
    delta: ReplyMessage | None = None
    text: Any = None
    finish_reason: Any = None


class ReplyPart(msgspec.Struct):
    """A whole answer or a chunk of one. Usage and error take many shapes in the wild."""

    choices: list[ReplyChoice] | None = None
    usage: Any = None
    error: Any = None
    object: Any = None
    message: Any = None
    detail: Any = None
    code: Any = None
    type: Any = None
    param: Any = None

    @property
    def is_error(self) -> bool:
        """Whether this tells of a failure in place of an answer."""
        return bool(self.error or self.object == "error" or (self.choices is None and (self.message or self.detail)))


_decoder: Final = msgspec.json.Decoder(ReplyPart)


class ModelReply:
    """What is known of an answer so far."""

    def __init__(self, options: ModelOptions, *, takes_calls: bool = False) -> None:
        self.finish_reason: str | None = None
        self.is_done = False
        self._has_begun = self._has_words = False
        self._usage: dict[str, Any] = {}
        self._calls = CallReader() if takes_calls else None
        self._passes_thoughts = options.thinking == "pass"
        is_kept = options.thinking == "keep"
        self._filter = ThinkingFilter(() if is_kept else TAGS, is_open=bool(options.starts_thinking) and not is_kept)
        self._text, self._thought, self._refusal = HalfJoiner(), HalfJoiner(), HalfJoiner()

    def take(self, data: bytes) -> list[ModelPart]:
        """What `data`, a chunk or a whole answer, adds. Raises ProviderRefused when it tells of a failure, and
        ServiceFailed when it is nothing at all."""
        word = data.strip()
        if not word:
            return []
        if word == DONE:
            # Some servers end without a finish reason; this word says as clearly that the answer is whole.
            self.is_done = True
            self.finish_reason = self.finish_reason or ("stop" if self._has_begun else None)
            return []
        part = _read(data)
        if isinstance(part.usage, dict):
            self._usage = part.usage
        choice = next((choice for choice in part.choices or () if choice.index in (0, None)), None)
        if choice is None:
            return []
        self._has_begun = True
        self.finish_reason = _word(choice.finish_reason) or self.finish_reason
        return self._parts(choice)

    def finish(self) -> list[ModelPart]:
        """The rest of the answer and its end. Raises ServiceFailed when it broke off before, or says nothing."""
        if self.finish_reason is None or self.finish_reason in BROKEN_OFF:
            raise ServiceFailed("upstream_failed", said=f"finish_reason {self.finish_reason}")
        split = self._split(self._text.rest(), is_last=True)
        rest = self._said(self._thought.rest() + split.thought, split.answer, self._refusal.rest())
        reason = FINISH_REASONS.get(self.finish_reason, "stop")
        if self._calls is not None and self._calls.has_begun:
            self._calls.finish()
            reason = "tool_calls" if reason == "stop" else reason
        elif not self._has_words:
            silence: Reason = "filtered" if reason == "content_filter" else "no_text"
            raise ServiceFailed(silence, said=f"finish_reason {self.finish_reason[:40]}, and no text")
        return [*rest, ModelEnd(reason, tokens(self._usage, "prompt_tokens"), tokens(self._usage, "completion_tokens"))]

    def _parts(self, choice: ReplyChoice) -> list[ModelPart]:
        said = choice.delta or choice.message or ReplyMessage()
        thought, text = _texts(choice.text if said.content is None else said.content)
        thought += _plain(said.reasoning_content) or _plain(said.reasoning)
        split = self._split(self._text.feed(text))
        parts = self._said(
            self._thought.feed(thought) + split.thought, split.answer, self._refusal.feed(_plain(said.refusal))
        )
        return parts if self._calls is None or not said.tool_calls else [*parts, *self._calls.take(said.tool_calls)]

    def _split(self, text: str, *, is_last: bool = False) -> Split:
        split = self._filter.feed(text)
        if not is_last:
            return split
        rest = self._filter.rest()
        return Split(split.thought + rest.thought, split.answer + rest.answer)

    def _said(self, thought: str, text: str, refusal: str) -> list[ModelPart]:
        self._has_words = self._has_words or bool(text.strip() or refusal.strip())
        parts: list[ModelPart] = [ModelThought(thought)] if thought and self._passes_thoughts else []
        parts += [ModelText(text)] if text else []
        return [*parts, ModelRefusal(refusal)] if refusal else parts


def tokens(usage: dict[str, Any], name: str) -> int | None:
    """The count of this name, if it is one that a model can have reported."""
    count = usage.get(name)
    if not isinstance(count, int) or isinstance(count, bool):
        return None
    return count if 0 <= count <= MOST_TOKENS else None


def _read(data: bytes) -> ReplyPart:
    try:
        part = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        part = _read_leniently(data)
    if part.is_error:
        raise refusal_in(msgspec.structs.asdict(part))
    return part


def _read_leniently(data: bytes) -> ReplyPart:
    try:
        value = lenient_json.loads(data)
        return msgspec.convert(value[0] if isinstance(value, list) and value else value, ReplyPart)
    except (ValueError, RecursionError):
        raise ServiceFailed("upstream_failed") from None


def _texts(content: Any) -> tuple[str, str]:
    """What a content holds of thinking and of text."""
    if not isinstance(content, list):
        return "", _plain(content)
    parts = [part for part in content if isinstance(part, dict)]
    thoughts = (_texts(part.get("thinking") or part.get("text"))[1] for part in parts if part.get("type") in THOUGHTS)
    texts = (_plain(part.get("text")) for part in parts if part.get("type") in ("text", "output_text"))
    return "".join(thoughts), "".join(texts)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _word(reason: Any) -> str | None:
    return reason.lower() if isinstance(reason, str) and reason else None
