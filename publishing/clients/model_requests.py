"""What a model server is asked, in the way in which it wants to be asked."""

from __future__ import annotations

from typing import Any, Final

from scaicore.messages import Message, joined, message
from scaicore.model_options import ModelOptions
from scaicore.services import ModelCall

LIMITS: Final = ("max_tokens", "max_completion_tokens")
PLAIN: Final = frozenset(("role", "content"))  # calls of tools and their results stand each for itself
# The first word is the user's where roles must take turns; a model that speaks first is told why.
OPENING: Final = "(The conversation begins with your message.)"


def request_body(model: str, call: ModelCall, options: ModelOptions) -> dict[str, Any]:
    """The fields of one request."""
    fields = {_named(name, options): value for name, value in call.params.items() if name not in options.omit}
    return fields | {"model": model, "messages": _shaped(call.messages, options)} | _streaming(options)


def _named(name: str, options: ModelOptions) -> str:
    return (options.max_tokens_field or name) if name in LIMITS else name


def _streaming(options: ModelOptions) -> dict[str, Any]:
    if options.stream is False:
        return {"stream": False}
    return {"stream": True} | ({} if options.stream_usage is False else {"stream_options": {"include_usage": True}})


def _shaped(messages: list[Message], options: ModelOptions) -> list[Message]:
    """The messages with the roles that the server knows, in the order that it takes."""
    role = options.system_role or "system"
    shaped = [message(role, said["content"]) if said["role"] == "system" else said for said in messages]
    if role == "user":  # the flow's own text and the first question are one message then
        shaped = _merged(shaped[:2]) + shaped[2:]
    return _alternating(shaped) if options.alternate_roles else shaped


def _alternating(messages: list[Message]) -> list[Message]:
    first = next((index for index, said in enumerate(messages) if said["role"] in ("user", "assistant")), 0)
    leads = messages and messages[first]["role"] == "assistant"
    opening = [message("user", OPENING)] if leads else []
    return _merged([*messages[:first], *opening, *messages[first:]])


def _merged(messages: list[Message]) -> list[Message]:
    """Neighbours of one role as one message."""
    merged: list[Message] = []
    for said in messages:
        if merged and merged[-1]["role"] == said["role"] and merged[-1].keys() == said.keys() == PLAIN:
            merged[-1] = message(said["role"], joined(merged[-1]["content"], said["content"]))
        else:
            merged.append(said)
    return merged
