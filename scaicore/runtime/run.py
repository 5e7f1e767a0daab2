"""One run: its scope, its memory, its bounds, and what becomes ready when a node has finished."""

import time
from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json, compact, defect, size
from scaicore.language import variables
from scaicore.nodes.base import LoopPlan
from scaicore.nodes.node_run import NodeRun
from scaicore.program import RESPONSE
from scaicore.runtime.frames import Frame, RegionRun
from scaicore.runtime.linker import Branch, Feed, Runnable, RuntimeNode
from scaicore.runtime.protocol import Finished, NodeFailed, NodeFinished, RunRequest, Usage, response_text

MAX_STEPS: Final = 10_000
MAX_HELD: Final = 64_000_000  # characters of all results together
MAX_STATE: Final = 1_048_576  # bytes of JSON
ENDED: Final = -1  # in place of a node that is ready: the region has ended


class Parked(NamedTuple):
    """A checkpoint that waits for somebody's decision; `until` is in seconds since 1970."""

    frame: Frame
    node: RuntimeNode
    prompt: str
    until: float | None


class FlowRun:
    """The changing part of a run; the program itself never changes."""

    __slots__ = (
        "_deadline",
        "_held",
        "_spent",
        "bound",
        "failed",
        "last",
        "parked",
        "ready",
        "request",
        "root",
        "runnable",
        "state",
        "steps",
        "streamed",
    )

    def __init__(self, request: RunRequest) -> None:
        self.runnable = request.program
        self.request = request
        self.state = _initial_state(self.runnable, request.state)
        self.ready: deque[tuple[Frame, int]] = deque()
        self.parked: list[Parked] = []
        self.failed: NodeFailed | None = None
        self.steps = 0
        self.streamed: list[str] = []
        self.bound: tuple[Json, str] | None = None
        self.last: tuple[Json, str] = (None, "stop")
        self._deadline = time.monotonic() + request.deadline_s
        self.root = Frame(_initial_scope(self.runnable, request, self.state), self._deadline)
        self._held = 0
        self._spent: Usage | None = None

    def start(self) -> None:
        """Begin at one entry; what only others lead to is never reached."""
        begin = self.request.entry or self.runnable.program.entry
        for node_id, position in self.runnable.entries.items():
            if node_id != begin:
                self._arrive(self.root, position, False)
        self._arrive(self.root, self.runnable.entries[begin], True)

    def remaining(self) -> float:
        """Seconds to the deadline; RunTimedOut when there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise RunTimedOut
        return left

    def enter(self, frame: Frame, position: int) -> tuple[RuntimeNode, NodeRun]:
        """A node that is ready, once the bounds allow it."""
        node = self.runnable.nodes[position]
        now = time.monotonic()
        if now >= frame.until:
            raise RunTimedOut(node.id)
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise RunFailed("too_many_steps", node.id)
        return node, self.new_node_run(frame, node, now)

    def new_node_run(self, frame: Frame, node: RuntimeNode, now: float) -> NodeRun:
        """What a node of this frame sees."""
        until = frame.until if node.timeout_s is None else min(frame.until, now + node.timeout_s)
        scope = frame.scope | _fed(node.feeds, frame.scope) if node.feeds else frame.scope
        return NodeRun(scope, self.state, self.request.input, self.request.services, now, until, frame)

    def open(self, node: RuntimeNode, node_run: NodeRun) -> None:
        """Begin the regions that a node runs."""
        plan = node.plan
        items = plan.items(node_run) if isinstance(plan, LoopPlan) and plan.items is not None else None
        region_run = RegionRun(node_run.frame, node, node_run, items)
        self._go_on(region_run)
        if not region_run.running:
            nothing = Frame({}, 0)
            nothing.within = region_run
            self.ready.append((nothing, ENDED))

    def proceed(self, region_run: RegionRun) -> NodeFinished | None:
        """Go on where a region has ended: with the next one, or behind the node once all of them have."""
        region_run.is_called = False
        self._go_on(region_run)
        if region_run.running:
            return None
        return self.leave(region_run.node, region_run.node_run, region_run.result, region_run.exits)

    def leave(
        self, node: RuntimeNode, node_run: NodeRun, result: Json, exits: Iterable[tuple[int, bool]] = ()
    ) -> NodeFinished:
        """Put a node's result into the scope and make ready what comes next."""
        frame: Frame = node_run.frame
        self._keep(frame, node, result, node_run.finish_reason)
        taken = _choose(node, frame) if node.branches else None
        if result is None and taken is not None:
            result = taken.edge_id
            self._keep(frame, node, result, node_run.finish_reason)
        if node_run.prompt_tokens is not None:
            self._spend(node_run)
        for target in node.onward:
            self._arrive(frame, target, True)
        for branch in node.branches:
            self._arrive(frame, branch.target, branch is taken)
        for target, is_live in exits:
            self._arrive(frame, target, is_live)
        if frame.within is not None:
            self._retire(frame)
        duration_ms = (time.monotonic() - node_run.started_at) * 1000
        return NodeFinished(node.id, node.kind, duration_ms, result, tuple(node_run.warnings))

    def finish(self) -> Finished:
        """The run's last event; RunFailed when the memory grew too large."""
        self.check_state()
        output, finish_reason = self._output()
        if self.streamed and not response_text(output).startswith("".join(self.streamed)):
            raise RunFailed  # what the client has read is not what the flow answers
        return Finished(output, self._spent, self.state, finish_reason)

    def pause(self, prompt: str, resume: dict[str, Json]) -> Finished:
        """The last event of a run that asks somebody for a decision."""
        self.check_state()
        if self.streamed:
            raise RunFailed  # the client has read what is not the question
        return Finished({RESPONSE: prompt}, self._spent, self.state, resume=resume)

    def check_state(self) -> None:
        """RunFailed when the memory grew too large."""
        if self.runnable.keeps_memory:
            check_kept(self.state)

    def _go_on(self, region_run: RegionRun) -> None:
        """Begin the regions that may begin now."""
        for frame in region_run.begin():
            for target in region_run.node.inner[frame.number].firsts:
                self._arrive(frame, target, True)

    def _retire(self, frame: Frame) -> None:
        """One node less; the last one of a region ends it."""
        frame.active -= 1
        if frame.active == 0 and frame.within is not None:
            frame.within.end(frame)
            if not frame.within.is_called:
                frame.within.is_called = True  # once, however many regions end before it goes on
                self.ready.append((frame, ENDED))

    def _arrive(self, frame: Frame, target: int, is_live: bool) -> None:
        """An edge was taken, or never will be. A node is ready when all its edges are decided and one was taken; a node
        that none will reach passes that on to the nodes behind it."""
        node = self.runnable.nodes[target]
        if is_live and node.arrivals < 2 and node.region_number == frame.region_number:  # the usual case
            frame.active += 1
            self.ready.append((frame, target))
            return
        pending = [(target, is_live)]
        while pending:
            position, live = pending.pop()
            node = self.runnable.nodes[position]
            if node.region_number != frame.region_number and frame.within is not None:
                frame.within.exits.append((position, live))
                continue
            if node.arrivals > 1:
                left, any_live = frame.arrived.get(position, (node.arrivals, False))
                live = live or any_live
                frame.arrived[position] = (left - 1, live)
                if left > 1:
                    continue
            if live:
                frame.active += 1
                self.ready.append((frame, position))
            else:
                pending.extend((behind, False) for behind in (*node.onward, *node.exits))
                pending.extend((branch.target, False) for branch in node.branches)

    def _keep(self, frame: Frame, node: RuntimeNode, result: Json, finish_reason: str) -> None:
        if result is not self.request.input:
            self._held += size(result, MAX_HELD)
        if self._held > MAX_HELD:
            raise RunFailed("too_much_data")
        frame.scope[node.id] = frame.last = result
        self.last = (result, finish_reason)
        if node.binding is not None:
            frame.scope[node.binding] = result
        if node.is_response:
            self.bound = self.last

    def _spend(self, node_run: NodeRun) -> None:
        so_far = self._spent or Usage(0, 0)
        self._spent = Usage(
            so_far.prompt_tokens + (node_run.prompt_tokens or 0),
            so_far.completion_tokens + (node_run.completion_tokens or 0),
        )

    def _output(self) -> tuple[dict[str, Json], str]:
        result, finish_reason = self.bound or self.last
        if self.bound is None and isinstance(result, dict) and RESPONSE in result:
            return result, finish_reason
        return {RESPONSE: result}, finish_reason


def _choose(node: RuntimeNode, frame: Frame) -> Branch:
    """The branch that a node with conditional edges takes."""
    for branch in node.branches:
        if branch.condition is None or branch.condition.holds(frame.scope):
            return branch
    raise RunFailed("no_branch")


def _initial_state(runnable: Runnable, persisted: dict[str, Json]) -> dict[str, Json]:
    """The defaults, then what was persisted; a value that the present version declares otherwise starts anew."""
    state = dict(runnable.defaults)
    if runnable.keeps_memory and persisted:
        for name, type_name in runnable.types.items():
            if name in persisted and variables.fits(persisted[name], type_name):
                state[name] = persisted[name]
    return state


def _initial_scope(runnable: Runnable, request: RunRequest, state: dict[str, Json]) -> dict[str, Json]:
    """The input under its own names. A caller cannot lay anything under the name of a node that has not run."""
    scope = dict(request.input)
    if not runnable.made.isdisjoint(scope):
        scope = {name: value for name, value in scope.items() if name not in runnable.made}
    scope["state"] = state
    if request.entity_id is not None:
        scope["entity_id"] = request.entity_id
    return scope


def _fed(feeds: Iterable[Feed], scope: dict[str, Json]) -> dict[str, Json]:
    """What data edges bring: the source's result, or the field of it that bears the source port's name."""
    values = {}
    for feed in feeds:
        result = scope.get(feed.source)
        values[feed.port] = result.get(feed.source_port, result) if isinstance(result, dict) else result
    return values


def check_kept(state: dict[str, Json]) -> None:
    """RunFailed when `state` is more than a Core may remember, or nothing that can be stored."""
    text = compact(state)
    if len(text.encode(errors="surrogatepass")) > MAX_STATE:
        raise RunFailed("state_too_large")
    if ("\\u" in text or not text.isprintable()) and defect(state):
        raise RunFailed("not_plain_data")
