"""The messages of a chat: what each may hold, and what of them is text."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct

from chatapi.chat_tools import MessageCall
from chatapi.errors import refused_field

WORDS: Final = frozenset({"text", "refusal"})
# A Core that can see, hear or read files declares the type of the parts that it takes.
MEDIA: Final = frozenset({"image_url", "input_audio", "file"})


class ContentPart(Struct):
    """One part of a message's content; only words are read here, a Core that declares the others sees them all."""

    type: str
    text: str | None = None
    refusal: str | None = None

    @property
    def words(self) -> str | None:
        """The part's text; None for a part without one."""
        return self.refusal if self.type == "refusal" else self.text if self.type == "text" else None


class Message(Struct):
    """One message of the conversation."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None
    name: str | None = None
    tool_calls: list[MessageCall] | None = None
    tool_call_id: str | None = None


def check_contents(messages: list[Message]) -> bool:
    """Refuse a message without content; gives whether any has its content in parts."""
    has_parts = False
    for index, message in enumerate(messages):
        if not isinstance(message.content, str):
            _check_content(message, f"messages[{index}]")
            has_parts = has_parts or message.content is not None
    return has_parts


def _check_content(message: Message, path: str) -> None:
    if message.content is None and message.role != "assistant":
        raise refused_field(f"{path}.content", f"`{path}.content` is required.", "missing_required_parameter")
    if isinstance(message.content, list):
        if not message.content:
            raise refused_field(f"{path}.content", f"`{path}.content` must contain at least one part.")
        for index, part in enumerate(message.content):
            _check_part(part, f"{path}.content[{index}]")


def _check_part(part: ContentPart, path: str) -> None:
    if part.type in MEDIA:
        return
    if part.type not in WORDS:
        known = ", ".join(f"`{name}`" for name in sorted(WORDS | MEDIA))
        raise refused_field(f"{path}.type", f"`{path}.type` must be one of {known}.")
    if part.words is None:
        field = f"{path}.{part.type}"
        raise refused_field(field, f"`{field}` is required.", "missing_required_parameter")


def spoken_text(messages: list[Message]) -> str:
    """What the caller says: the last user's message; without one, the last instruction, as OpenAI takes it."""
    for roles in (("user",), ("developer", "system")):
        for message in reversed(messages):
            if message.role in roles:
                return text_of(message)
    raise refused_field(
        "messages", "`messages` must contain at least one message with the role `user`, `developer` or `system`."
    )


def media_paths(messages: list[dict[str, Any]]) -> dict[str, str]:
    """The parts that are no words: the first of each type, by its path."""
    found: dict[str, str] = {}
    for index, said in enumerate(messages):
        content = said.get("content")
        for at, part in enumerate(content if isinstance(content, list) else ()):
            if isinstance(part, dict) and part.get("type") in MEDIA:
                found.setdefault(part["type"], f"messages[{index}].content[{at}]")
    return found


def text_of(message: Message) -> str:
    """The message's text; its parts' texts are joined by a newline, images, sounds and files have none."""
    if isinstance(message.content, list):
        return "\n".join(part.words for part in message.content if part.words is not None)
    return message.content or ""
