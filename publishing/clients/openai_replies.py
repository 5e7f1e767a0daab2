"""What an OpenAI-compatible server answers, read with distrust: whole, or chunk by chunk."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from scaicore.services import ModelEnd, Reason, ServiceFailed

DONE: Final = b"[DONE]"
MOST_TOKENS: Final = 2**31 - 1


class ReplyMessage(msgspec.Struct):
    """A message, or what a chunk adds to it: text, or a list of parts."""

    content: str | list[Any] | None = None


class ReplyChoice(msgspec.Struct):
    """The answer under its first index; `message` in a whole answer, `delta` in a chunk."""

    message: ReplyMessage | None = None
    delta: ReplyMessage | None = None
    finish_reason: str | None = None


class ReplyPart(msgspec.Struct):
    """A whole answer or a chunk of one. Usage and error take many shapes in the wild."""

    choices: list[ReplyChoice] | None = None
    usage: Any = None
    error: Any = None


_decoder: Final = msgspec.json.Decoder(ReplyPart)


class ModelReply:
    """What is known of an answer so far."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.is_done = False
        self._has_begun = False
        self._usage: dict[str, Any] = {}

    def take(self, data: bytes) -> str:
        """The text that `data`, a chunk or a whole answer, adds. Raises ServiceFailed when it is neither."""
        word = data.strip()
        if not word:
            return ""
        if word == DONE:
            # Some servers end without a finish reason; this word says as clearly that the answer is whole.
            self.is_done = True
            self.finish_reason = self.finish_reason or ("stop" if self._has_begun else None)
            return ""
        part = _read(data)
        if isinstance(part.usage, dict):
            self._usage = part.usage
        if not part.choices:
            return ""
        self._has_begun = True
        choice = part.choices[0]
        self.finish_reason = choice.finish_reason or self.finish_reason
        return _text(choice.delta or choice.message)

    def end(self) -> ModelEnd:
        """The end of the answer. Raises ServiceFailed when it broke off before that."""
        if self.finish_reason is None:
            raise ServiceFailed("upstream_failed")
        return ModelEnd(
            self.finish_reason, tokens(self._usage, "prompt_tokens"), tokens(self._usage, "completion_tokens")
        )


def tokens(usage: dict[str, Any], name: str) -> int | None:
    """The count of this name, if it is one that a model can have reported."""
    count = usage.get(name)
    if not isinstance(count, int) or isinstance(count, bool):
        return None
    return count if 0 <= count <= MOST_TOKENS else None


def refusal(status: int) -> Reason | None:
    """What a status says went wrong; None when an answer follows."""
    if 200 <= status < 300:
        return None
    if status == 429:
        return "rate_limited"
    if status == 408:
        return "timed_out"
    return "rejected" if 400 <= status < 500 else "upstream_failed"


def _read(data: bytes) -> ReplyPart:
    try:
        part = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ServiceFailed("upstream_failed") from None
    if part.error:
        raise ServiceFailed("rate_limited" if _is_rate_limit(part.error) else "upstream_failed")
    return part


def _text(said: ReplyMessage | None) -> str:
    """What was said, without NUL characters: the database takes none."""
    content = (said and said.content) or ""
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text")
        content = "".join(text for text in parts if isinstance(text, str))
    return content.replace("\0", "")


def _is_rate_limit(error: Any) -> bool:
    told = (error.get("code"), error.get("type")) if isinstance(error, dict) else ()
    return any(word in (429, "429", "rate_limit_error", "rate_limit_exceeded") for word in told)
