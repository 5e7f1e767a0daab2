"""What a call of a chat front end is for. Some front ends ask the model itself for a title or tags, in a prompt that
people never see; answered like a turn, it would be remembered as a part of the conversation.

The shapes are facts about Open WebUI's task prompts (`### Task:` … `<chat_history>`) and LibreChat's title prompts,
read from their default configuration in November 2026. A prompt that an operator has rewritten is not recognised.
"""

from __future__ import annotations

from typing import Final, NamedTuple

CHAT: Final = "chat"
LONGEST_INSTRUCTION: Final = 8_000  # characters


class KnownPrompt(NamedTuple):
    """A prompt is of this shape when it holds every one of `marks`; compared in lower case."""

    purpose: str
    marks: tuple[str, ...]


OPEN_WEBUI_HEAD: Final = "### task:"
OPEN_WEBUI: Final = (
    KnownPrompt("title", ("title", "summarizing", "<chat_history>")),
    KnownPrompt("title", ("title", "emoji", "<chat_history>")),
    KnownPrompt("tags", ("broad tags", "<chat_history>")),
    KnownPrompt("follow_ups", ("follow-up questions", "<chat_history>")),
    KnownPrompt("search_queries", ("search queries", "<chat_history>")),
    KnownPrompt("autocompletion", ("autocompletion system", "<text>")),
    KnownPrompt("image_prompt", ("image generation task", "<chat_history>")),
)
LIBRECHAT: Final = (
    KnownPrompt("title", ("5-word-or-less title for the conversation", "title case conventions")),
    KnownPrompt("title", ("detected language of the conversation", "concise title in the detected language")),
)


def recognise_purpose(texts: list[str]) -> str:
    """The purpose of a call whose messages have these texts: `chat`, or what the front end wants for itself."""
    last = _head(texts[-1])
    if last.startswith(OPEN_WEBUI_HEAD) and (found := _first(OPEN_WEBUI, last)):
        return found
    # LibreChat puts its instruction first or last, depending on the endpoint.
    return _first(LIBRECHAT, last) or _first(LIBRECHAT, _head(texts[0])) or CHAT


def _head(text: str) -> str:
    """As much of a text as an instruction fills; what follows is the conversation."""
    return text[:LONGEST_INSTRUCTION].lstrip().lower()


def _first(shapes: tuple[KnownPrompt, ...], text: str) -> str | None:
    return next((shape.purpose for shape in shapes if all(mark in text for mark in shape.marks)), None)
