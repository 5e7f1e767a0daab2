"""The chat's refusals in the words of `/v1/responses`: its fields have other names, and its items other places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from chatapi.errors import ChatError

_MESSAGE: Final = re.compile(r"messages\[(\d+)\]")
# The chat's words → ours, the longer ones first.
WORDS: Final = (
    ("response_format.json_schema.schema", "text.format.schema"),
    ("response_format.json_schema", "text.format"),
    ("response_format", "text.format"),
    (".image_url.url", ".image_url"),
    (".image_url.detail", ".detail"),
    (".file.file_data", ".file_data"),
    (".function.parameters", ".parameters"),
    ("tool_choice.function.name", "tool_choice.name"),
    (".tool_call_id", ".call_id"),
    ("a `tool` message", "a `function_call_output`"),
    ("`messages`", "`input`"),
)


def reword(error: Exception, paths: Sequence[str]) -> Exception:
    """The same refusal; `paths` are those of what the chat's messages were made of."""
    if isinstance(error, ChatError):
        error.message = _reword(error.message, paths)
        error.param = "input" if error.param == "messages" else error.param and _reword(error.param, paths)
    return error


def _reword(text: str, paths: Sequence[str]) -> str:
    text = _MESSAGE.sub(lambda found: _path(int(found[1]), paths), text)
    for theirs, ours in WORDS:
        text = text.replace(theirs, ours)
    return text


def _path(index: int, paths: Sequence[str]) -> str:
    return paths[index] if index < len(paths) else "input"
