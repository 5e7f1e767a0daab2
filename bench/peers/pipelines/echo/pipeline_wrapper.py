"""What hayhooks serves: an echo, on its asynchronous way. It runs in that program's environment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from hayhooks import BasePipelineWrapper


class PipelineWrapper(BasePipelineWrapper):
    """Answers the last message."""

    def setup(self) -> None:
        """Nothing is to be loaded."""
        self.pipeline = None

    async def run_chat_completion_async(
        self, model: str, messages: list[dict[str, Any]], body: dict[str, Any]
    ) -> str | AsyncIterator[str]:
        """The text of the last message, in one piece."""
        text = str(messages[-1]["content"])
        return _spoken(text) if body.get("stream") else text


async def _spoken(text: str) -> AsyncIterator[str]:
    yield text
