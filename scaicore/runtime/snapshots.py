"""Snapshots: a run that waits, as plain JSON between two turns.

A snapshot holds the parts of a run that a question still needs: the frames it lies in, and the nodes that run them.
It fits a program as long as the nodes and edges are the same; where it does not fit, the flow starts from the
beginning. The caller's `messages` and `params` are left out: the next call has its own.

Entities keep snapshots between deploys, so a new version of this module must read what an older one wrote.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from scaicore.nodes import KINDS
from scaicore.nodes.base import CheckpointPlan
from scaicore.runtime.frames import Frame, RegionRun
from scaicore.runtime.protocol import RunRequest
from scaicore.runtime.run import FlowRun, Parked
from scaicore.services import FinishReason

_RENEWED: Final = frozenset(("messages", "params"))
_SET_BY_RUN: Final = frozenset(("state", "entity_id")) | _RENEWED


class FrameSnapshot(msgspec.Struct):
    """A frame; `within` is the index of the node that runs it, `scope` what it holds beyond that node's own scope."""

    within: int | None
    number: int
    scope: dict[str, Any]
    arrived: list[tuple[str, int, bool]]
    active: int
    last: Any


class RegionSnapshot(msgspec.Struct):
    """A node that runs regions; `frame` is the index of the frame that it lies in."""

    frame: int
    node: str
    items: list[Any] | None
    cursor: int
    running: int
    turns: list[Any]
    branches: dict[str, Any]
    exits: list[tuple[str, bool]]


class ParkedSnapshot(msgspec.Struct):
    """A question that waits; `until` is in seconds since 1970."""

    frame: int
    node: str
    prompt: str
    until: float | None


class RunSnapshot(msgspec.Struct):
    """A run that waits. Frames and regions come in an order in which they can be restored: each frame behind the node
    that runs it, and each node behind its frame. Nodes are named by their ids."""

    shape: str
    input: dict[str, Any]
    entered: list[str]  # the names under which the scope holds the input itself
    frames: list[FrameSnapshot]
    regions: list[RegionSnapshot] = msgspec.field(name="opened")
    parked: list[ParkedSnapshot]
    bound: tuple[Any, FinishReason] | None  # as in `FlowRun`
    last: tuple[Any, FinishReason]


def take(run: FlowRun) -> RunSnapshot:
    """The snapshot of a run in which nothing but questions is left."""
    frames, region_runs = _waiting(run)
    indices = {id(part): index for parts in (frames, region_runs) for index, part in enumerate(parts)}
    given = run.request.input
    kept = {name: value for name, value in given.items() if name not in _RENEWED}
    # An entry's result is the input itself. It is kept once, and not again under each of its names.
    entered = [name for name, value in run.root.scope.items() if value is given]
    return RunSnapshot(
        shape=run.runnable.shape,
        input=kept,
        entered=entered,
        frames=[_take_frame(frame, run, indices, {*entered, *_SET_BY_RUN}) for frame in frames],
        regions=[_take_region(region_run, run, indices) for region_run in region_runs],
        parked=[ParkedSnapshot(indices[id(each.frame)], each.node.id, each.prompt, each.until) for each in run.parked],
        bound=run.bound and (kept if run.bound[0] is given else run.bound[0], run.bound[1]),
        last=(kept if run.last[0] is given else run.last[0], run.last[1]),
    )


def _waiting(run: FlowRun) -> tuple[list[Frame], list[RegionRun]]:
    """The frames and region runs around each question, the outermost first. All others have ended."""
    frames, region_runs = {id(run.root): run.root}, dict[int, RegionRun]()
    for question in run.parked:
        around = list(_around(question.frame))
        for region_run in reversed(around):
            frames.setdefault(id(region_run.frame), region_run.frame)
            region_runs.setdefault(id(region_run), region_run)
        frames.setdefault(id(question.frame), question.frame)
    return list(frames.values()), list(region_runs.values())


def _around(frame: Frame) -> Iterator[RegionRun]:
    """The nodes that run this frame, the innermost first."""
    within = frame.within
    while within is not None:
        yield within
        within = within.frame.within


def _take_frame(frame: Frame, run: FlowRun, indices: dict[int, int], left_out: set[str]) -> FrameSnapshot:
    within = frame.within
    if within is None:
        scope = {name: value for name, value in frame.scope.items() if name not in left_out}
    else:
        # A turn begins with a copy of the names around it, and a branch shares them: only what is new is kept.
        outer = within.frame.scope
        scope = {name: value for name, value in frame.scope.items() if not (name in outer and outer[name] is value)}
    return FrameSnapshot(
        within=None if within is None else indices[id(within)],
        number=frame.number,
        scope=scope,
        arrived=[(run.runnable.nodes[index].id, *arrival) for index, arrival in frame.arrived.items()],
        active=frame.active,
        last=None if within is None else frame.last,
    )


def _take_region(region_run: RegionRun, run: FlowRun, indices: dict[int, int]) -> RegionSnapshot:
    return RegionSnapshot(
        frame=indices[id(region_run.frame)],
        node=region_run.node.id,
        items=region_run.items,
        cursor=region_run.cursor,
        running=region_run.running,
        turns=region_run.turns,
        branches=region_run.branches,
        exits=[(run.runnable.nodes[index].id, is_taken) for index, is_taken in region_run.exits],
    )


def restore(request: RunRequest) -> FlowRun | None:
    """The run that the request resumes; None when its snapshot does not fit the program."""
    try:
        snapshot = msgspec.convert(request.resume, RunSnapshot)
        # Another shape would put results and arrivals where nobody waits for them.
        if snapshot.shape != request.program.shape or not snapshot.parked:
            return None
        return _Restoration(snapshot, request).run
    except (msgspec.ValidationError, KeyError, IndexError):
        return None


class _Restoration:
    """A run as it is put together again; KeyError or IndexError where the snapshot contradicts itself."""

    def __init__(self, snapshot: RunSnapshot, request: RunRequest) -> None:
        renewed = {name: request.input[name] for name in _RENEWED if name in request.input}
        self.run = FlowRun(msgspec.structs.replace(request, input=snapshot.input | renewed))
        self._snapshot = snapshot
        self._indices = {node.id: index for index, node in enumerate(self.run.runnable.nodes)}
        self._frames: list[Frame] = []
        self._region_runs: list[RegionRun] = []
        for kept in snapshot.frames:
            self._frames.append(self._frame(kept))
        # The very same object under each of its names, as before: the run recognises the input by identity.
        self.run.root.scope.update(dict.fromkeys(snapshot.entered, self.run.request.input))
        self.run.parked += [self._parked(kept) for kept in snapshot.parked]
        self.run.bound, self.run.last = snapshot.bound, snapshot.last

    def _frame(self, kept: FrameSnapshot) -> Frame:
        frame = self._inner_frame(kept) if self._frames else self.run.root
        frame.scope.update(kept.scope)
        frame.arrived = {self._indices[node_id]: (left, is_taken) for node_id, left, is_taken in kept.arrived}
        frame.active, frame.last = kept.active, kept.last
        return frame

    def _inner_frame(self, kept: FrameSnapshot) -> Frame:
        """The frame of a loop's turn has a scope of its own; branches share the one around them."""
        if kept.within is None:
            raise KeyError(kept.number)
        # The frames that these nodes lie in come before this one, so they are there already.
        while len(self._region_runs) <= kept.within:
            self._region_runs.append(self._region_run(self._snapshot.regions[len(self._region_runs)]))
        region_run = self._region_runs[kept.within]
        scope = dict(region_run.frame.scope) if region_run.has_turns else region_run.frame.scope
        return Frame(scope, region_run.node_run.until, region_run, kept.number)

    def _region_run(self, kept: RegionSnapshot) -> RegionRun:
        node = self.run.runnable.nodes[self._indices[kept.node]]
        frame = self._frames[kept.frame]
        return RegionRun(
            frame,
            node,
            # A node's own time starts again: nothing ran while the question waited.
            self.run.new_node_run(frame, node, time.monotonic()),
            kept.items,
            kept.cursor,
            kept.running,
            list(kept.turns),
            dict(kept.branches),
            [(self._indices[node_id], is_taken) for node_id, is_taken in kept.exits],
        )

    def _parked(self, kept: ParkedSnapshot) -> Parked:
        node = self.run.runnable.nodes[self._indices[kept.node]]
        if not isinstance(node.plan, CheckpointPlan) and not KINDS[node.kind].replies:
            raise KeyError(kept.node)
        return Parked(self._frames[kept.frame], node, kept.prompt, kept.until)
