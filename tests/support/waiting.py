"""Node kinds that wait, for the tests of what runs beside what; they stand in the table for the length of a test."""

import asyncio
from typing import Any

import pytest

from scaicore import KINDS
from scaicore.nodes.base import NodeConfig, NodeKind, Work
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program


class Waits(NodeConfig, frozen=True, kw_only=True):
    """Says each of `words`, `seconds` apart, and results in `result`, or in all of them joined."""

    seconds: float = 0
    words: list[str] = []
    result: Any = None
    breaks: str | None = None


class Log(list[str]):
    """What happened inside the waiting nodes."""


def install(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()

    def prepare(config: Waits, _program: Program) -> Work:
        async def work(node_run: NodeRun) -> Any:
            log.append("began")
            try:
                result = await _speak(config, node_run)
                log.append("ended")
                return result
            except asyncio.CancelledError:
                log.append("cancelled")
                raise

        return work

    kind = NodeKind("waits", "Waits", "tool", "Waits.", Waits, prepare, waits=True)
    monkeypatch.setitem(KINDS, "waits", kind)
    return log


async def _speak(config: Waits, node_run: NodeRun) -> Any:
    for word in config.words:
        await asyncio.sleep(config.seconds)
        await node_run.stream_text(word)
    await asyncio.sleep(config.seconds)
    if config.breaks == "cancel":
        raise asyncio.CancelledError
    if config.breaks == "error":
        raise ConnectionError("secret address")
    node_run.spend(10, len(config.words))
    return "".join(config.words) if config.result is None else config.result
