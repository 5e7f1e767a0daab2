"""Talking to scripted models as a flow of the tenant acme does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from publishing.clients.language_models import TenantModelClient
from scaicore.services import (
    ModelCall,
    ModelChoice,
    ModelEnd,
    ModelPart,
    ModelRefusal,
    ModelText,
    ModelThought,
    ServiceFailed,
)

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]


def call(*models: str, **more: Any) -> ModelCall:
    """A call of these models in order; `ref/model` names another provider than `house`."""
    pairs = [model.rpartition("/")[::2] for model in models]
    choices = tuple(ModelChoice(ref or "house", model) for ref, model in pairs)
    return ModelCall(**{"choices": choices, "messages": HELLO, **more})


async def stream(*models: str, **more: Any) -> AsyncIterator[ModelPart]:
    async with aclosing(TenantModelClient("acme").stream(call(*models, **more))) as parts:
        async for part in parts:
            yield part


async def said(*models: str, **more: Any) -> tuple[list[str], ModelEnd]:
    """The texts of an answer, and its end."""
    parts = [part async for part in stream(*models, **more)]
    *texts, end = parts
    assert isinstance(end, ModelEnd)
    return [part.text for part in texts if isinstance(part, ModelText)], end


async def heard(*models: str, **more: Any) -> dict[str, str]:
    """What an answer holds of text, thought and refusal, and how it ended; or why it failed."""
    found = {"text": "", "thought": "", "refusal": "", "finish": "", "fails": ""}
    kinds = {ModelText: "text", ModelThought: "thought", ModelRefusal: "refusal"}
    try:
        async for part in stream(*models, **more):
            if isinstance(part, ModelEnd):
                found["finish"] = part.finish_reason
            else:
                found[kinds[type(part)]] += part.text
    except ServiceFailed as failed:
        found["fails"] = failed.reason
    return {name: value for name, value in found.items() if value}


async def failure(*models: str, **more: Any) -> tuple[list[str], str]:
    """The texts that came before the failure, and its reason."""
    texts = []
    with pytest.raises(ServiceFailed) as caught:
        async for part in stream(*models, **more):
            assert isinstance(part, ModelText)
            texts.append(part.text)
    return texts, caught.value.reason
