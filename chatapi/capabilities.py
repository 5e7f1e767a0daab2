"""What a call asks of its Core besides a text, and whether the Core can do it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from chatapi import chat_request, chat_tools
from chatapi.chat_request import ChatRequest
from chatapi.errors import refused_field

# What a call holds → the capability that answers it. What is not listed, no Core can meet: an answer is one text.
NEEDED: Final[dict[str, str]] = {
    "tool_choice": "tools",
    "response_format": "structured_output",
    "web_search_options": "web_search",
    "image_url": "images",
    "input_audio": "audio",
    "file": "files",
}


def check(request: ChatRequest, capabilities: Collection[str]) -> None:
    """Refuse what the Core cannot do: an answer that ignored it would be wrong."""
    for name, path in request.demands.items():
        needed = NEEDED.get(name)
        if needed is None:
            message = f"This server does not support `{path}` as it was sent. Leave it out."
            raise refused_field(path, message, "unsupported_parameter")
        if needed not in capabilities:
            message = f"This model does not support `{path}` as it was sent: it lacks the capability `{needed}`."
            raise refused_field(path, f"{message} Leave it out, or call another model.", "unsupported_parameter")
    if "tools" in capabilities:
        chat_tools.check(request.params, request.messages)


def unheeded(request: ChatRequest, capabilities: Collection[str]) -> tuple[str, ...]:
    """The fields of the request that have no effect on this Core."""
    if request.ignored and "tools" in capabilities:
        return tuple(name for name in request.ignored if name not in chat_request.OFFERED)
    return request.ignored
