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
from scaicore.nodes.base import CheckpointPlan, NodeRun
from scaicore.runtime.frames import Frame, RegionRun
from scaicore.runtime.linker import Runnable, RuntimeNode
from scaicore.runtime.protocol import Finished, RunRequest
from scaicore.runtime.run import FlowRun, Parked

MAX_RESUME: Final = 4_000_000  # characters of JSON
DECISION: Final = "decision"
_BROUGHT_ANEW: Final = frozenset(("messages", "params"))
_OWN: Final = frozenset(("state", "entity_id")) | _BROUGHT_ANEW

Decided = tuple[RuntimeNode, NodeRun, Json]


class FrameSnapshot(msgspec.Struct):
    """A frame; `within` is the place of the node that runs it, `scope` what it holds beyond that node's own scope."""

    within: int | None
    number: int
    scope: dict[str, Any]
    arrived: list[tuple[str, int, bool]]
    active: int
    last: Any


class RegionSnapshot(msgspec.Struct):
    """A node that runs regions; `frame` is the place of the frame that it stands in."""

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
    opened: list[RegionSnapshot]
    parked: list[ParkedSnapshot]
    bound: tuple[Any, str] | None
    last: tuple[Any, str]


def park(run: FlowRun, stage: RuntimeNode, visit: NodeRun, plan: CheckpointPlan) -> None:
    """Let a checkpoint wait until nothing else can go on."""
    until = None if plan.timeout_s is None else run.request.now + plan.timeout_s
    run.parked.append(Parked(visit.place, stage, visit.fill(plan.prompt), until))


def ask(run: FlowRun) -> Finished:
    """The run's last event: the first question that waits, and all that is needed to go on behind it."""
    question = run.parked[0]
    text = encode(msgspec.to_builtins(_put_away(run)))
    if len(text) > MAX_RESUME:
        raise RunFailed("resume_too_large", question.stage.id)
    try:
        resume: dict[str, Json] = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        raise RunFailed("not_plain_data", question.stage.id) from None
    if defect(resume):
        raise RunFailed("not_plain_data", question.stage.id)
    return run.pause(question.prompt, resume)


def begin(request: RunRequest) -> tuple[FlowRun, Decided | None]:
    """A run at its entry; or one that goes on, with the decision that was made, or None to ask the same once more."""
    run = None if request.resume is None else _taken_up(request)
    if run is not None:
        frame, stage, _, until = run.parked[0]
        plan = stage.plan
        if until is None or request.now <= until:
            decision = (
                plan.match(compact(request.input.get("message", ""))) if isinstance(plan, CheckpointPlan) else None
            )
            return run, None if decision is None else _decided(run, frame, stage, decision)
        if isinstance(plan, CheckpointPlan) and plan.on_timeout is not None:
            return run, _decided(run, frame, stage, plan.on_timeout)
    run = FlowRun(request)
    run.start()
    return run, None


def _decided(run: FlowRun, frame: Frame, stage: RuntimeNode, decision: str) -> Decided:
    del run.parked[0]
    frame.scope[DECISION] = decision
    return stage, run.visit(frame, stage, time.monotonic()), decision


def _put_away(run: FlowRun) -> RunSnapshot:
    frames, opened = _standing(run)
    places = {id(frame): place for place, frame in enumerate(frames)}
    brought = run.request.input
    given = {name: value for name, value in brought.items() if name not in _BROUGHT_ANEW}
    entered = [name for name, value in run.root.scope.items() if value is run.request.input]
    return RunSnapshot(
        shape=run.runnable.shape,
        input=given,
        entered=entered,
        frames=[_put_frame(frame, opened, run.runnable, entered) for frame in frames],
        opened=[_put_opened(node, places, run.runnable) for node in opened],
        parked=[ParkedSnapshot(places[id(each.frame)], each.stage.id, each.prompt, each.until) for each in run.parked],
        bound=run.bound and (given if run.bound[0] is brought else run.bound[0], run.bound[1]),
        last=(given if run.last[0] is brought else run.last[0], run.last[1]),
    )


def _standing(run: FlowRun) -> tuple[list[Frame], list[RegionRun]]:
    """Every frame and every opened node that still runs: those that a question stands in, and the root."""
    frames: list[Frame] = [run.root]
    opened: list[RegionRun] = []
    for question in run.parked:
        for node in reversed(list(_around(question.frame))):
            if not any(node is other for other in opened):
                opened.append(node)
    for question in run.parked:
        for frame in reversed([question.frame, *(node.frame for node in _around(question.frame))]):
            if not any(frame is other for other in frames):
                frames.append(frame)
    return frames, opened


def _around(frame: Frame) -> Iterator[RegionRun]:
    """The nodes that run this frame, the innermost first."""
    within = frame.within
    while within is not None:
        yield within
        within = within.frame.within


def _put_frame(frame: Frame, opened: list[RegionRun], runnable: Runnable, entered: Iterable[str]) -> FrameSnapshot:
    within = frame.within
    outer = {} if within is None else within.frame.scope
    left_out = {*entered, *_OWN} if within is None else set()
    scope = {
        name: value
        for name, value in frame.scope.items()
        if name not in left_out and not (name in outer and outer[name] is value)
    }
    return FrameSnapshot(
        within=None if within is None else next(place for place, node in enumerate(opened) if node is within),
        number=frame.number,
        scope=scope,
        arrived=[(runnable.stages[position].id, *told) for position, told in frame.arrived.items()],
        active=frame.active,
        last=None if frame.within is None else frame.last,
    )


def _put_opened(node: RegionRun, places: dict[int, int], runnable: Runnable) -> RegionSnapshot:
    return RegionSnapshot(
        frame=places[id(node.frame)],
        node=node.stage.id,
        items=node.items,
        cursor=node.cursor,
        running=node.running,
        turns=node.turns,
        branches=node.branches,
        exits=[(runnable.stages[position].id, is_live) for position, is_live in node.exits],
    )


def _taken_up(request: RunRequest) -> FlowRun | None:
    """The run that was put away; None when it does not fit the program."""
    try:
        put = msgspec.convert(request.resume, RunSnapshot)
        if put.shape != request.program.shape or not put.parked:
            return None
        return _restored(put, request)
    except (msgspec.ValidationError, KeyError, IndexError):
        return None


def _restored(put: RunSnapshot, request: RunRequest) -> FlowRun:
    anew = {name: request.input[name] for name in _BROUGHT_ANEW if name in request.input}
    run = FlowRun(msgspec.structs.replace(request, input=put.input | anew))
    runnable = run.runnable
    positions = {stage.id: position for position, stage in enumerate(runnable.stages)}
    frames, opened = [run.root], list[RegionRun]()
    for place, kept in enumerate(put.frames):
        while kept.within is not None and len(opened) <= kept.within:
            opened.append(_reopened(put.opened[len(opened)], run, frames, positions))
        if place:
            frames.append(_reframed(kept, run, opened))
        frame = frames[place]
        frame.scope.update(kept.scope)
        frame.arrived = {positions[node]: (left, is_live) for node, left, is_live in kept.arrived}
        frame.active, frame.last = kept.active, kept.last
    run.root.scope.update(dict.fromkeys(put.entered, run.request.input))
    for each in put.parked:
        stage = runnable.stages[positions[each.node]]
        if not isinstance(stage.plan, CheckpointPlan):
            raise KeyError(each.node)
        run.parked.append(Parked(frames[each.frame], stage, each.prompt, each.until))
    run.bound, run.last = put.bound, put.last
    return run


def _reopened(kept: RegionSnapshot, run: FlowRun, frames: list[Frame], positions: dict[str, int]) -> RegionRun:
    stage = run.runnable.stages[positions[kept.node]]
    frame = frames[kept.frame]
    exits = [(positions[node], is_live) for node, is_live in kept.exits]
    visit = run.visit(frame, stage, time.monotonic())
    return RegionRun(
        frame, stage, visit, kept.items, kept.cursor, kept.running, list(kept.turns), dict(kept.branches), exits
    )


def _reframed(kept: FrameSnapshot, run: FlowRun, opened: list[RegionRun]) -> Frame:
    """The frame of a loop's turn has a scope of its own; branches share the one around them."""
    if kept.within is None:
        raise KeyError(kept.number)
    node = opened[kept.within]
    scope = dict(node.frame.scope) if node.has_turns else node.frame.scope
    return Frame(scope, node.visit.until, node, kept.number)
