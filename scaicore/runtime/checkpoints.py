"""Checkpoints: a run that waits for somebody's decision is put away as plain JSON, and another run goes on behind it.

The other branches of a run finish first, as far as they can; then the questions are asked, one for each turn. What is
put away fits a program as long as the nodes and edges are the same; where it does not fit, the flow starts anew. The
caller's `messages` and `params` are not put away: the next call brings its own.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from scaicore.errors import RunFailed
from scaicore.jsondata import Json, compact, defect, encode
from scaicore.nodes.base import DECISION, CheckpointPlan
from scaicore.nodes.node_run import NodeRun
from scaicore.runtime.frames import Frame, RegionRun
from scaicore.runtime.linker import Runnable, RuntimeNode
from scaicore.runtime.protocol import Finished, RunRequest
from scaicore.runtime.run import FlowRun, Parked

MAX_RESUME: Final = 4_000_000  # characters of JSON
_BROUGHT_ANEW: Final = frozenset(("messages", "params"))
_OWN: Final = frozenset(("state", "entity_id")) | _BROUGHT_ANEW

Decided = tuple[RuntimeNode, NodeRun, Json]


class FrameSnapshot(msgspec.Struct):
    """A frame; `within` is the index of the node that runs it, `scope` what it holds beyond that node's own scope."""

    within: int | None
    number: int
    scope: dict[str, Any]
    arrived: list[tuple[str, int, bool]]
    active: int
    last: Any


class RegionSnapshot(msgspec.Struct):
    """A node that runs regions; `frame` is the index of the frame that it stands in."""

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
    """A run that was put away; each frame stands behind the node that runs it, and each node behind its frame."""

    shape: str
    input: dict[str, Any]
    entered: list[str]  # the names under which the input itself stands in the scope
    frames: list[FrameSnapshot]
    regions: list[RegionSnapshot] = msgspec.field(name="opened")
    parked: list[ParkedSnapshot]
    bound: tuple[Any, str] | None
    last: tuple[Any, str]


def park(run: FlowRun, node: RuntimeNode, node_run: NodeRun, plan: CheckpointPlan) -> None:
    """Let a checkpoint wait until nothing else can go on."""
    until = None if plan.timeout_s is None else run.request.now + plan.timeout_s
    run.parked.append(Parked(node_run.frame, node, node_run.fill(plan.prompt), until))


def ask(run: FlowRun) -> Finished:
    """The run's last event: the first question that waits, and all that is needed to go on behind it."""
    question = run.parked[0]
    text = encode(msgspec.to_builtins(_snapshot(run)))
    if len(text) > MAX_RESUME:
        raise RunFailed("resume_too_large", question.node.id)
    try:
        resume: dict[str, Json] = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        raise RunFailed("not_plain_data", question.node.id) from None
    if defect(resume):
        raise RunFailed("not_plain_data", question.node.id)
    return run.pause(question.prompt, resume)


def begin(request: RunRequest) -> tuple[FlowRun, Decided | None]:
    """A run at its entry; or one that goes on, with the decision that was made, or None to ask the same once more."""
    run = None if request.resume is None else _resumed(request)
    if run is not None:
        frame, node, _, until = run.parked[0]
        plan = node.plan
        if until is None or request.now <= until:
            decision = (
                plan.match(compact(request.input.get("message", ""))) if isinstance(plan, CheckpointPlan) else None
            )
            return run, None if decision is None else _decided(run, frame, node, decision)
        if isinstance(plan, CheckpointPlan) and plan.on_timeout is not None:
            return run, _decided(run, frame, node, plan.on_timeout)
    run = FlowRun(request)
    run.start()
    return run, None


def _decided(run: FlowRun, frame: Frame, node: RuntimeNode, decision: str) -> Decided:
    del run.parked[0]
    frame.scope[DECISION] = decision
    return node, run.new_node_run(frame, node, time.monotonic()), decision


def _snapshot(run: FlowRun) -> RunSnapshot:
    frames, region_runs = _waiting_parts(run)
    indices = {id(frame): index for index, frame in enumerate(frames)}
    brought = run.request.input
    given = {name: value for name, value in brought.items() if name not in _BROUGHT_ANEW}
    entered = [name for name, value in run.root.scope.items() if value is run.request.input]
    return RunSnapshot(
        shape=run.runnable.shape,
        input=given,
        entered=entered,
        frames=[_snapshot_frame(frame, region_runs, run.runnable, entered) for frame in frames],
        regions=[_snapshot_region(region_run, indices, run.runnable) for region_run in region_runs],
        parked=[ParkedSnapshot(indices[id(each.frame)], each.node.id, each.prompt, each.until) for each in run.parked],
        bound=run.bound and (given if run.bound[0] is brought else run.bound[0], run.bound[1]),
        last=(given if run.last[0] is brought else run.last[0], run.last[1]),
    )


def _waiting_parts(run: FlowRun) -> tuple[list[Frame], list[RegionRun]]:
    """Every frame and every opened node that still runs: those that a question stands in, and the root."""
    frames: list[Frame] = [run.root]
    region_runs: list[RegionRun] = []
    for question in run.parked:
        for region_run in reversed(list(_around(question.frame))):
            if not any(region_run is other for other in region_runs):
                region_runs.append(region_run)
    for question in run.parked:
        for frame in reversed([question.frame, *(region_run.frame for region_run in _around(question.frame))]):
            if not any(frame is other for other in frames):
                frames.append(frame)
    return frames, region_runs


def _around(frame: Frame) -> Iterator[RegionRun]:
    """The nodes that run this frame, the innermost first."""
    within = frame.within
    while within is not None:
        yield within
        within = within.frame.within


def _snapshot_frame(
    frame: Frame, region_runs: list[RegionRun], runnable: Runnable, entered: Iterable[str]
) -> FrameSnapshot:
    within = frame.within
    outer = {} if within is None else within.frame.scope
    left_out = {*entered, *_OWN} if within is None else set()
    scope = {
        name: value
        for name, value in frame.scope.items()
        if name not in left_out and not (name in outer and outer[name] is value)
    }
    return FrameSnapshot(
        within=None
        if within is None
        else next(index for index, region_run in enumerate(region_runs) if region_run is within),
        number=frame.number,
        scope=scope,
        arrived=[(runnable.nodes[position].id, *arrival) for position, arrival in frame.arrived.items()],
        active=frame.active,
        last=None if frame.within is None else frame.last,
    )


def _snapshot_region(region_run: RegionRun, indices: dict[int, int], runnable: Runnable) -> RegionSnapshot:
    return RegionSnapshot(
        frame=indices[id(region_run.frame)],
        node=region_run.node.id,
        items=region_run.items,
        cursor=region_run.cursor,
        running=region_run.running,
        turns=region_run.turns,
        branches=region_run.branches,
        exits=[(runnable.nodes[position].id, is_live) for position, is_live in region_run.exits],
    )


def _resumed(request: RunRequest) -> FlowRun | None:
    """The run that was put away; None when it does not fit the program."""
    try:
        snapshot = msgspec.convert(request.resume, RunSnapshot)
        if snapshot.shape != request.program.shape or not snapshot.parked:
            return None
        return _restore(snapshot, request)
    except (msgspec.ValidationError, KeyError, IndexError):
        return None


def _restore(snapshot: RunSnapshot, request: RunRequest) -> FlowRun:
    anew = {name: request.input[name] for name in _BROUGHT_ANEW if name in request.input}
    run = FlowRun(msgspec.structs.replace(request, input=snapshot.input | anew))
    runnable = run.runnable
    positions = {node.id: position for position, node in enumerate(runnable.nodes)}
    frames, region_runs = [run.root], list[RegionRun]()
    for index, kept in enumerate(snapshot.frames):
        while kept.within is not None and len(region_runs) <= kept.within:
            region_runs.append(_restore_region(snapshot.regions[len(region_runs)], run, frames, positions))
        if index:
            frames.append(_restore_frame(kept, run, region_runs))
        frame = frames[index]
        frame.scope.update(kept.scope)
        frame.arrived = {positions[node_id]: (left, is_live) for node_id, left, is_live in kept.arrived}
        frame.active, frame.last = kept.active, kept.last
    run.root.scope.update(dict.fromkeys(snapshot.entered, run.request.input))
    for each in snapshot.parked:
        node = runnable.nodes[positions[each.node]]
        if not isinstance(node.plan, CheckpointPlan):
            raise KeyError(each.node)
        run.parked.append(Parked(frames[each.frame], node, each.prompt, each.until))
    run.bound, run.last = snapshot.bound, snapshot.last
    return run


def _restore_region(kept: RegionSnapshot, run: FlowRun, frames: list[Frame], positions: dict[str, int]) -> RegionRun:
    node = run.runnable.nodes[positions[kept.node]]
    frame = frames[kept.frame]
    exits = [(positions[node_id], is_live) for node_id, is_live in kept.exits]
    node_run = run.new_node_run(frame, node, time.monotonic())
    return RegionRun(
        frame, node, node_run, kept.items, kept.cursor, kept.running, list(kept.turns), dict(kept.branches), exits
    )


def _restore_frame(kept: FrameSnapshot, run: FlowRun, region_runs: list[RegionRun]) -> Frame:
    """The frame of a loop's turn has a scope of its own; branches share the one around them."""
    if kept.within is None:
        raise KeyError(kept.number)
    region_run = region_runs[kept.within]
    scope = dict(region_run.frame.scope) if region_run.has_turns else region_run.frame.scope
    return Frame(scope, region_run.node_run.until, region_run, kept.number)
