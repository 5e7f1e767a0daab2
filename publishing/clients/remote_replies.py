"""What a program that lives elsewhere answers, read with distrust: whole, or event by event."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from publishing.clients.openai_replies import tokens
from scaicore.services import RemoteEnd, ServiceFailed

DONE: Final = b"[DONE]"


class RemoteMessage(msgspec.Struct):
    """A whole answer or one event of a stream. Usage and error may take any shape, like the response."""

    delta: str = ""
    output: dict[str, Any] | None = None
    response: Any = msgspec.UNSET
    state: dict[str, Any] | None = None
    usage: Any = None
    error: Any = None

    @property
    def is_last(self) -> bool:
        """Whether this ends the answer; anything but text does, and what is unknown is passed over."""
        return self.response is not msgspec.UNSET or any(
            part is not None for part in (self.output, self.state, self.usage)
        )

    def end(self) -> RemoteEnd:
        """The end that this tells."""
        given = {} if self.response is msgspec.UNSET else {"response": self.response}
        usage = self.usage if isinstance(self.usage, dict) else {}
        counts = tokens(usage, "prompt_tokens"), tokens(usage, "completion_tokens")
        return RemoteEnd({**(self.output or {}), **given}, self.state, *counts)


_decoder: Final = msgspec.json.Decoder(RemoteMessage)


class RemoteReply:
    """What is known of an answer so far; `end` is set by its last part."""

    def __init__(self) -> None:
        self.end: RemoteEnd | None = None

    def take(self, data: bytes) -> str:
        """The text that `data` adds. Raises ServiceFailed when it is no part of an answer."""
        if not data.strip():
            return ""
        said = _read(data)
        if said.is_last:
            self.end = said.end()
        return said.delta


def _read(data: bytes) -> RemoteMessage:
    try:
        said = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ServiceFailed("upstream_failed") from None
    if said.error is not None or "\0" in said.delta:
        raise ServiceFailed("upstream_failed")
    return said
