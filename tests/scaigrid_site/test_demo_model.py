"""The demo's language model: real tokens and memory, without a network. Skipped where the extra is not installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from openai import OpenAI

from tests.scaigrid_site.conftest import Site

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="make .venv/llm.stamp installs the model"),
    pytest.mark.timeout(400),
]


def test_the_assistant_streams_real_tokens_and_remembers_the_turn(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", tmp_path / "log", "--llm")
    try:
        assert site.process.stdout is not None
        key = next(line for line in site.process.stdout if "API key" in line).split()[2]
        client = OpenAI(base_url=f"http://127.0.0.1:{site.port}/v1", api_key=key, max_retries=0, timeout=300)
        pieces, tokens = [], 0
        for _ in range(2):
            stream = client.chat.completions.create(
                model="scaicore/acme/assistant",
                messages=[{"role": "user", "content": "Say hello."}],
                stream=True,
                max_tokens=6,
                stream_options={"include_usage": True},
                extra_body={"entity_id": "talk"},
            )
            for chunk in stream:
                pieces += [choice.delta.content for choice in chunk.choices if choice.delta.content]
                tokens += chunk.usage.completion_tokens if chunk.usage else 0
    finally:
        site.stop()
    assert len(pieces) > 4
    assert 2 < tokens <= 12
