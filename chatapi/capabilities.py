"""What a Core can do besides answering with text, and what a call asks of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from chatapi.chat_request import ChatRequest
from chatapi.errors import refused_field

# What no Core can meet: this server answers with one text.
NEVER_MET: Final = frozenset({"n", "logprobs", "modalities", "audio"})


def check(request: ChatRequest, capabilities: Collection[str]) -> None:
    """Refuse what the Core does not declare: an answer that ignored it would be wrong."""
    for name, path in request.demands.items():
        if name not in capabilities or name in NEVER_MET:
            raise refused_field(path, f"This model does not support `{path}` as it was sent.", "unsupported_parameter")
