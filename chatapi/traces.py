"""Run traces: what each node did and how long it took, kept for flows that ask for it (`scaiflow_meta.tracing`)."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

import scaicore

MOST_NODES: Final = 500
LONGEST_INPUT: Final = 32 * 1024


class NodeTrace(Struct, omit_defaults=True):
    """One node of a run. Times in milliseconds from the run's start; `input`, what it read by name, and `result` are
    cut to 4 KiB of JSON each; tokens are those that models reported to it.
    `provider_errors` are what model servers said that did not answer, for admins alone. A tool that a model called has
    the `call`'s id and its `arguments`."""

    id: str
    kind: str
    started_ms: float
    duration_ms: float | None = None
    result: Any = None
    error: str | None = None
    warnings: tuple[str, ...] = ()
    provider_errors: tuple[str, ...] = ()
    call: str = ""
    arguments: Any = None
    input: Any = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class TraceRow(Struct, frozen=True):
    """A run's trace, as it is stored."""

    at: datetime
    request_id: str
    tenant_id: str
    user_id: str
    core_id: str
    core_version: int
    outcome: str
    duration_ms: int
    nodes: list[NodeTrace]
    input: Any = None


PRUNE = "DELETE FROM chatapi_runtrace WHERE at < now() - make_interval(days => %s)"
COLUMNS = ", ".join(TraceRow.__struct_fields__)
INSERT = f"""
INSERT INTO chatapi_runtrace ({COLUMNS})
SELECT {COLUMNS} FROM jsonb_populate_recordset(NULL::chatapi_runtrace, %s::jsonb)
ON CONFLICT (request_id) DO NOTHING
"""  # noqa: S608  the columns are the fields above


def keep_input(given: dict[str, Any], *, has_media: bool) -> dict[str, Any] | None:
    """What was asked, where it can be kept whole: up to 32 KiB of JSON, and none of the callers' images and files."""
    return None if has_media or len(msgspec.json.encode(given)) > LONGEST_INPUT else given


class Tracer:
    """Notes what the nodes of one run do."""

    def __init__(self) -> None:
        self.nodes: list[NodeTrace] = []
        self._started = time.monotonic()
        self._open: dict[tuple[str, str], NodeTrace] = {}

    def note(self, event: scaicore.Event) -> None:
        """Note what the event says of a node."""
        if isinstance(event, scaicore.NodeStarted):
            node = NodeTrace(event.node_id, event.kind, round((time.monotonic() - self._started) * 1000, 3))
            if event.call:
                node.call, node.arguments = event.call, scaicore.traced(event.arguments)
            self._open[event.node_id, event.call] = node
            if len(self.nodes) < MOST_NODES:
                self.nodes.append(node)
        elif isinstance(event, scaicore.NodeFinished | scaicore.NodeFailed):
            self._close(event)

    def _close(self, event: scaicore.NodeFinished | scaicore.NodeFailed) -> None:
        node = self._open.pop((event.node_id, event.call), None)
        if node is None:
            return
        node.duration_ms, node.provider_errors = round(event.duration_ms, 3), event.provider_errors
        if event.read is not None:
            node.input = scaicore.traced(event.read)
        if event.usage is not None:
            node.prompt_tokens, node.completion_tokens = event.usage.prompt_tokens, event.usage.completion_tokens
        if isinstance(event, scaicore.NodeFinished):
            node.result, node.warnings = scaicore.traced(event.result), event.warnings
        else:
            node.error = event.reason
