"""What a Core can do besides answering a text with a text, in the words of this system and of the protocol."""

from collections.abc import Iterable
from typing import Final

# capability → what it means, for pages and documents
CAPABILITIES: Final[dict[str, str]] = {
    "tools": "Calls the caller's tools",
    "structured_output": "Answers with JSON that fits the caller's schema",
    "images": "Takes images",
    "audio": "Takes sounds",
    "files": "Takes files",
    "web_search": "Searches the web on the caller's terms",
    "reasoning": "Shows what its model thinks before it answers",
}
# What depends on the models, so that only who chose them can say it. All else shows in the flow.
DECLARED: Final = frozenset(("images", "audio", "files", "web_search", "reasoning"))
# The protocol's own words, which documents may use as well.
_ALIASES: Final[dict[str, str]] = {
    "tool_choice": "tools",
    "response_format": "structured_output",
    "image_url": "images",
    "input_audio": "audio",
    "file": "files",
    "web_search_options": "web_search",
}


def canonical(words: Iterable[str]) -> tuple[str, ...]:
    """The capabilities that these words mean, each once; a word that means none stays as it is."""
    return tuple(dict.fromkeys(_ALIASES.get(word, word) for word in words))
