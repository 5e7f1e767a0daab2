"""The nodes of a run that wait for the world outside, each in a task, and what they send while they work."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json
from scaicore.nodes.node_run import NodeRun
from scaicore.runtime.channel import Channel
from scaicore.runtime.linker import RuntimeNode
from scaicore.runtime.protocol import NodeFailed, NodeFinished, NodeStarted, TextDelta
from scaicore.services import TextKind, ToolCallPart

_AHEAD: Final = 32  # events that nodes may be ahead of the reader


@dataclass(frozen=True, slots=True)
class NodeDone:
    """A node's work ended, with a result or with the error that it raised."""

    node: RuntimeNode
    node_run: NodeRun
    result: Json = None
    error: Exception | None = None


TaskEvent = TextDelta | ToolCallPart | NodeStarted | NodeFinished | NodeFailed | NodeDone


class NodeTasks:
    """Nodes at work. Whoever starts some must call `cancel_all` at the end, whatever happens.

    All events go through one short channel: a client that reads slowly slows the nodes down, all the way to the model's
    own connection, in place of filling the memory.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._events: Channel[TaskEvent] = Channel(_AHEAD)
        self._working = 0  # nodes whose end was not read yet
        self._is_leaving = False

    @property
    def is_busy(self) -> bool:
        return self._working > 0

    def start(self, node: RuntimeNode, node_run: NodeRun, *, responds: bool) -> None:
        """Let a node begin; only one that responds may stream text before it is done."""
        if responds:
            node_run.emit_text = self._emit_text
            node_run.emit_call = self._events.put
        self._working += 1
        task = asyncio.create_task(self._work(node, node_run))
        self._tasks.add(task)  # the event loop itself keeps no task alive
        task.add_done_callback(self._tasks.discard)

    async def tell(self, event: NodeStarted | NodeFinished | NodeFailed) -> None:
        """Send what a tool of a node does."""
        await self._events.put(event)

    async def next_events(self, seconds: float) -> list[TaskEvent]:
        """The texts, calls and ends of nodes since the last look, at least one; RunTimedOut when none comes in time."""
        events = await self._events.take(seconds)
        if not events:
            raise RunTimedOut
        self._working -= sum(type(event) is NodeDone for event in events)
        return events

    async def cancel_all(self) -> None:
        """Stop every node that is still at work and wait until it has stopped."""
        # A node left behind would go on spending tokens for a caller who has gone.
        self._is_leaving = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _emit_text(self, text: str, kind: TextKind) -> None:
        await self._events.put(TextDelta(text, kind))

    async def _work(self, node: RuntimeNode, node_run: NodeRun) -> None:
        """Run a node to its end. Whatever happens there becomes an event: a task that only died would never be noticed,
        and the run would wait for its end until the deadline."""
        try:
            async with asyncio.timeout(max(0.0, node_run.until - time.monotonic())):
                done = NodeDone(node, node_run, await node.work(node_run))
        except TimeoutError:
            done = NodeDone(node, node_run, error=RunTimedOut(node.id))
        except asyncio.CancelledError:
            if self._is_leaving:
                raise
            # Not cancelled by this run: something inside the node, such as a library's own task group, gave up.
            done = NodeDone(node, node_run, error=RunFailed("node_failed", node.id))
        except Exception as problem:
            done = NodeDone(node, node_run, error=problem)
        await self._events.put(done)
