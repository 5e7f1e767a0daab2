"""What a call of a chat front end is for. Some front ends ask the model itself for a title or tags, in a prompt that
people never see; answered like a turn, it would be remembered as a part of the conversation.

Open WebUI can say so in a header, where its connection is set up to. Else a prompt is known by its shape: the headings
and tags in it, and the keys of the JSON that the front end reads from the answer. These are facts about the default
prompts of Open WebUI 0.5 to 0.12 and LibreChat 0.7 and 0.8. A prompt that an operator has rewritten is not recognised.
"""

from __future__ import annotations

from typing import Final, NamedTuple

CHAT: Final = "chat"
OTHER_TASK: Final = "other_task"
LONGEST_INSTRUCTION: Final = 8_000  # characters

# What Open WebUI calls its tasks, up to 0.12.
OPEN_WEBUI_TASKS: Final = {
    "title_generation": "title",
    "tags_generation": "tags",
    "follow_up_generation": "follow_ups",
    "query_generation": "search_queries",
    "autocomplete_generation": "autocompletion",
    "image_prompt_generation": "image_prompt",
    "emoji_generation": "emoji",
    "moa_response_generation": "merge",
    "context_compaction": "compaction",
}


class KnownPrompt(NamedTuple):
    """A prompt is of this shape when it begins with `head` and holds every one of `marks`; compared in lower case."""

    purpose: str
    since: str  # the first version of the front end that sends it
    head: str
    marks: tuple[str, ...]


_TASK: Final = "### task:"
OPEN_WEBUI: Final[tuple[KnownPrompt, ...]] = (
    KnownPrompt("compaction", "0.12", _TASK, ("### previous summary:",)),
    KnownPrompt("follow_ups", "0.6", _TASK, ('"follow_ups"',)),
    KnownPrompt("title", "0.6", _TASK, ('"title"', "<chat_history>")),
    KnownPrompt("title", "0.5", _TASK, ("title", "summarizing", "<chat_history>")),
    KnownPrompt("title", "0.5", _TASK, ("title", "emoji", "<chat_history>")),
    KnownPrompt("tags", "0.5", _TASK, ('"tags"', "<chat_history>")),
    KnownPrompt("tags", "0.5", _TASK, ("broad tags", "<chat_history>")),
    KnownPrompt("follow_ups", "0.6", _TASK, ("follow-up questions", "<chat_history>")),
    KnownPrompt("search_queries", "0.5", _TASK, ("search queries", "<chat_history>")),
    KnownPrompt("search_queries", "0.5", _TASK, ('"queries"', "<chat_history>")),
    KnownPrompt("autocompletion", "0.5", _TASK, ("autocompletion system", "<text>")),
    KnownPrompt("image_prompt", "0.5", _TASK, ("image generation task", "<chat_history>")),
    KnownPrompt("emoji", "0.5", "your task is", ("emoji", "\nmessage: ```")),
    KnownPrompt("merge", "0.5", "you have been provided with", ("user query:", "\nresponses from models:")),
)
LIBRECHAT: Final[tuple[KnownPrompt, ...]] = (
    KnownPrompt("title", "0.7", "", ("5-word-or-less title for the conversation", "title case conventions")),
    KnownPrompt(
        "title", "0.8", "", ("detected language of the conversation", "concise title in the detected language")
    ),
)
SHORTEST: Final[dict[tuple[KnownPrompt, ...], int]] = {
    shapes: min(len(shape.head) + sum(map(len, shape.marks)) for shape in shapes) for shapes in (OPEN_WEBUI, LIBRECHAT)
}


def find_purpose(task: str | None, texts: list[str]) -> str:
    """The purpose of a call: `chat`, or what the front end wants for itself.

    `task` is what the front end says, None where it says nothing; `texts` are those of the messages.
    """
    # A front end that does not know the placeholder sends it as it is.
    if task is not None and not task.startswith("{{"):
        return OPEN_WEBUI_TASKS.get(task, OTHER_TASK)
    return recognise_purpose(texts)


def recognise_purpose(texts: list[str]) -> str:
    """The purpose of a call whose messages have these texts, by the shapes of known prompts."""
    # LibreChat puts its instruction first or last, depending on the endpoint.
    return _first(OPEN_WEBUI, texts[-1]) or _first(LIBRECHAT, texts[-1]) or _first(LIBRECHAT, texts[0]) or CHAT


def _first(shapes: tuple[KnownPrompt, ...], text: str) -> str | None:
    """The purpose of the first shape that fits; as much of the text is read as an instruction fills, at either end."""
    if len(text) < SHORTEST[shapes]:
        return None  # what people say is mostly shorter than any instruction
    lowered = f"{text[:LONGEST_INSTRUCTION].lstrip()}\n{text[LONGEST_INSTRUCTION:][-LONGEST_INSTRUCTION:]}".lower()
    return next((shape.purpose for shape in shapes if _fits(shape, lowered)), None)


def _fits(shape: KnownPrompt, lowered: str) -> bool:
    return lowered.startswith(shape.head) and all(mark in lowered for mark in shape.marks)
