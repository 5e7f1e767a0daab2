"""What a run of a draft begins with in place of memory, and what is seen of it while it runs."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import scaicore
from chatapi import chat_response, traces
from chatapi.traces import NodeTrace

STARTED: Final = "node.started"
FINISHED: Final = "node.finished"
FAILED: Final = "node.failed"


class DryRun(traces.Tracer):
    """A run that is watched. `state` is the memory it begins with, then the one it would have left behind."""

    def __init__(self, state: dict[str, Any]) -> None:
        super().__init__()
        self.state = state
        self.is_waiting = False
        # Not bounded: a run has a bound of steps and of data, and the reader must not hold up its nodes.
        self.frames: asyncio.Queue[bytes | None] = asyncio.Queue()

    def note(self, event: scaicore.Event) -> None:
        """Note what the event says, and tell whoever reads the frames."""
        if isinstance(event, scaicore.Finished):
            self.state, self.is_waiting = event.state, event.resume is not None
        if isinstance(event, scaicore.NodeStarted):
            super().note(event)
            self.say(STARTED, self._open[event.node_id, event.call])
        elif isinstance(event, scaicore.NodeFinished | scaicore.NodeFailed):
            node = self._open.get((event.node_id, event.call))
            super().note(event)
            if node is not None:
                self.say(FAILED if isinstance(event, scaicore.NodeFailed) else FINISHED, node)

    def say(self, name: str, value: NodeTrace | dict[str, Any]) -> None:
        """Add an event to those that are read."""
        self.frames.put_nowait(b"event: %b\ndata: %b\n\n" % (name.encode(), chat_response.encode(value)))

    def end(self) -> None:
        """Nothing more will be said."""
        self.frames.put_nowait(None)
