"""The nodes of a run that wait for the world outside, each in a task, and what they send while they work."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json
from scaicore.nodes.base import NodeRun
from scaicore.runtime.linker import RuntimeNode
from scaicore.runtime.protocol import TextDelta

_AHEAD: Final = 8  # events that nodes may be ahead of the reader


@dataclass(frozen=True, slots=True)
class NodeDone:
    """A node's work ended, with a result or with the error that it raised."""

    stage: RuntimeNode
    visit: NodeRun
    result: Json = None
    error: Exception | None = None


class NodeTasks:
    """Tasks at work. Whoever starts a crew disbands it, whatever happens."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._said: asyncio.Queue[TextDelta | NodeDone] = asyncio.Queue(_AHEAD)
        self._working = 0
        self._is_leaving = False

    @property
    def is_busy(self) -> bool:
        return self._working > 0

    def start(self, stage: RuntimeNode, visit: NodeRun, *, responds: bool) -> None:
        """Let a node begin; only one that responds is heard before it is done."""
        if responds:
            visit.speak = self._speak
        self._working += 1
        task = asyncio.create_task(self._work(stage, visit))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def hear(self, seconds: float) -> TextDelta | NodeDone:
        """The next thing that a node sends or ends with; RunTimedOut when nothing comes in time."""
        try:
            async with asyncio.timeout(seconds):
                said = await self._said.get()
        except TimeoutError:
            raise RunTimedOut from None
        if type(said) is NodeDone:
            self._working -= 1
        return said

    async def disband(self) -> None:
        """Stop every node that is still at work and wait until it has stopped."""
        self._is_leaving = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _speak(self, text: str) -> None:
        await self._said.put(TextDelta(text))

    async def _work(self, stage: RuntimeNode, visit: NodeRun) -> None:
        try:
            async with asyncio.timeout(max(0.0, visit.until - time.monotonic())):
                done = NodeDone(stage, visit, await stage.work(visit))
        except TimeoutError:
            done = NodeDone(stage, visit, error=RunTimedOut(stage.id))
        except asyncio.CancelledError:
            if self._is_leaving:
                raise
            done = NodeDone(stage, visit, error=RunFailed("node_failed", stage.id))  # cancelled from within
        except Exception as problem:
            # Carried to the engine, which tells what it knows from the rest.
            done = NodeDone(stage, visit, error=problem)
        await self._said.put(done)
