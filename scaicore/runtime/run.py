"""One run: its scope, its memory, its bounds, and what becomes ready when a node has finished.

A node is ready once every edge into it is decided, and at least one was taken. An edge is decided when its source has
finished; and where a node will never run, so that its outgoing edges are not taken either, at once (dead path
elimination). This way branches join without waiting for one that was not chosen.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple, cast

from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json, defect, size
from scaicore.nodes.base import LoopPlan
from scaicore.nodes.node_run import NodeRun, ToolUse, WatchedScope
from scaicore.program import RESPONSE, TOOL_CALLS
from scaicore.runtime import scopes
from scaicore.runtime.budget import MAX_HELD, RequestBudget
from scaicore.runtime.frames import Frame, RegionRun
from scaicore.runtime.linker import Branch, Runnable, RuntimeNode
from scaicore.runtime.protocol import Finished, NodeFailed, NodeFinished, RunRequest, Usage, response_text
from scaicore.services import FinishReason

ToolWork = Callable[[NodeRun], Awaitable[Json]]
ENDED: Final = -1  # in place of a node that is ready: the region has ended


class Parked(NamedTuple):
    """A checkpoint that waits for somebody's decision, or a node for the results of the caller's tools: then `prompt`
    holds the ids of its calls, one a line. `until` is in seconds since 1970."""

    frame: Frame
    node: RuntimeNode
    prompt: str
    until: float | None


class FlowRun:
    """The changing part of a run; the program itself never changes."""

    __slots__ = (
        "_budget",
        "_deadline",
        "_usage",
        "bound",
        "called",
        "failed",
        "last",
        "parked",
        "ready",
        "refusal",
        "request",
        "root",
        "runnable",
        "state",
        "steps",
        "streamed",
    )

    def __init__(self, request: RunRequest) -> None:
        self.runnable: Runnable = request.program
        self.request = request
        self.state = scopes.initial_state(self.runnable, request.state)
        self.ready: deque[tuple[Frame, int]] = deque()  # nodes that may start, by their index in the program
        self.parked: list[Parked] = []
        self.failed: NodeFailed | None = None
        self.steps = 0
        self.streamed: list[str] = []
        # `(result, finish_reason)` of the node bound to `response` and of the node that finished last.
        self.bound: tuple[Json, FinishReason] | None = None
        self.last: tuple[Json, FinishReason] = (None, "stop")
        self.refusal = ""  # the words in which a model declined last
        self.called: tuple[str, NodeRun] | None = None  # the text beside calls of the caller's tools, and who made them
        self._deadline = time.monotonic() + request.deadline_s
        self.root = Frame(scopes.initial_scope(self.runnable, request, self.state), self._deadline)
        self._budget: RequestBudget = request.services.budget or RequestBudget()
        self._usage: Usage | None = None

    def start(self) -> None:
        """Begin at one entry; what only the other entries lead to never runs."""
        begin = self.request.entry or self.runnable.program.entry
        for node_id, index in self.runnable.entries.items():
            if node_id != begin:
                self._arrive(self.root, index, False)
        self._arrive(self.root, self.runnable.entries[begin], True)

    def remaining(self) -> float:
        """Seconds to the deadline; RunTimedOut when there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise RunTimedOut
        return left

    def start_node(self, frame: Frame, index: int) -> tuple[RuntimeNode, NodeRun]:
        """A node that is ready, once the bounds allow it: RunTimedOut or RunFailed when they do not."""
        node = self.runnable.nodes[index]
        now = time.monotonic()
        if now >= frame.until:
            raise RunTimedOut(node.id)
        self.steps += 1
        self._budget.take_step()
        return node, self.new_node_run(frame, node, now)

    def new_node_run(self, frame: Frame, node: RuntimeNode, now: float) -> NodeRun:
        """What a node of this frame works with."""
        until = frame.until if node.timeout_s is None else min(frame.until, now + node.timeout_s)
        # Without data edges nodes share the frame's scope: it is copied only where a node sees names of its own.
        scope = frame.scope | scopes.read_feeds(node.feeds, frame.scope) if node.feeds else frame.scope
        if self.request.is_watched:
            scope = WatchedScope(scope)
        return NodeRun(scope, self.state, self.request.input, self.request.services, now, until, frame)

    def start_tool(self, caller: NodeRun, use: ToolUse) -> tuple[NodeRun, ToolWork]:
        """What a tool that a model calls works with, and its work: it reads what its caller does, and its arguments."""
        self._budget.take_step()
        node = self.runnable.tools[use.id] if use.work is None else None
        now = time.monotonic()
        until = caller.until if node is None or node.timeout_s is None else min(caller.until, now + node.timeout_s)
        scope = caller.scope | scopes.as_input(use.arguments)
        tool_run = NodeRun(scope, self.state, self.request.input, self.request.services, now, until)
        return tool_run, cast("ToolWork", use.work or (node and node.work))

    def hold(self, result: Json) -> None:
        """Count a result that stays in no scope; RunFailed when the request holds too much, or no plain data."""
        if defect(result) is not None:
            raise RunFailed("not_plain_data")
        self._budget.hold(size(result, MAX_HELD))

    def begin_regions(self, node: RuntimeNode, node_run: NodeRun) -> None:
        """Begin the regions that a node runs."""
        plan = node.plan
        items = plan.items(node_run) if isinstance(plan, LoopPlan) and plan.items is not None else None
        region_run = RegionRun(node_run.frame, node, node_run, items)
        self._begin_next(region_run)
        if not region_run.running:
            # No region began, such as for an empty list. An empty frame ends at once, so that the node finishes in
            # the same way as after its last region.
            nothing = Frame({}, 0)
            nothing.within = region_run
            self.ready.append((nothing, ENDED))

    def continue_regions(self, region_run: RegionRun) -> NodeFinished | None:
        """Go on after a region has ended: with the next one, or behind the node once all of them have."""
        region_run.is_queued = False
        self._begin_next(region_run)
        if region_run.running:
            return None
        return self.finish_node(region_run.node, region_run.node_run, region_run.result, region_run.exits)

    def finish_node(
        self, node: RuntimeNode, node_run: NodeRun, result: Json, exits: Iterable[tuple[int, bool]] = ()
    ) -> NodeFinished:
        """Put a node's result into the scope and make ready what comes next."""
        frame: Frame = node_run.frame
        self._store(frame, node, result, node_run.finish_reason)
        # Conditions may ask for the node's own result, so it is stored before they are evaluated.
        taken = _choose(node, frame) if node.branches else None
        if result is None and taken is not None:
            result = taken.edge_id
            self._store(frame, node, result, node_run.finish_reason)
        if node_run.prompt_tokens is not None:
            self._add_usage(node_run)
        self.refusal = node_run.refusal or self.refusal
        for target in node.targets:
            self._arrive(frame, target, True)
        for branch in node.branches:
            self._arrive(frame, branch.target, branch is taken)
        for target, is_taken in exits:
            self._arrive(frame, target, is_taken)
        # Only now: what has just become ready keeps the region from ending.
        if frame.within is not None:
            self._leave(frame, frame.within)
        return _finished(node, node_run, result)

    def end_in_calls(self, node: RuntimeNode, node_run: NodeRun, text: str) -> NodeFinished:
        """Let the turn end with what a model asks of the caller; the node has its result in a later turn."""
        shown = {"text": text, TOOL_CALLS: [call.as_message_part() for call in node_run.tool_calls]}
        self._budget.hold(size(shown, MAX_HELD))
        if node_run.prompt_tokens is not None:
            self._add_usage(node_run)
        self.called = (text, node_run)
        asked = "\n".join(call.id for call in node_run.tool_calls)
        self.parked.append(Parked(node_run.frame, node, asked, None))
        return _finished(node, node_run, shown)

    def finish(self) -> Finished:
        """The run's last event; RunFailed when the memory grew too large or the request has used up what it may."""
        self._budget.check()
        self.check_state()
        output, finish_reason = self._output()
        # What a client has read cannot be taken back; a response that does not continue it must not look like one.
        if self.streamed and not response_text(output).startswith("".join(self.streamed)):
            raise RunFailed
        # Another node may have answered in place of the one whose model declined.
        refusal = self.refusal if self.refusal and response_text(output).endswith(self.refusal) else ""
        return Finished(output, self._usage, self.state, finish_reason, refusal=refusal)

    def pause(self, prompt: str, resume: dict[str, Json]) -> Finished:
        """The last event of a run that asks somebody for a decision."""
        self.check_state()
        if self.streamed:
            raise RunFailed  # as in `finish`: the client has read what is not the question
        return Finished({RESPONSE: prompt}, self._usage, self.state, resume=resume)

    def hand_over(self, text: str, node_run: NodeRun, resume: dict[str, Json] | None) -> Finished:
        """The last event of a run whose model calls tools of the caller."""
        self._budget.check()
        self.check_state()
        if self.streamed and text != "".join(self.streamed):
            raise RunFailed  # as in `finish`
        output = {RESPONSE: text, TOOL_CALLS: [call.as_message_part() for call in node_run.tool_calls]}
        return Finished(
            output, self._usage, self.state, node_run.finish_reason, resume=resume, tool_calls=node_run.tool_calls
        )

    def check_state(self) -> None:
        """RunFailed when the memory grew too large."""
        if self.runnable.keeps_memory:
            scopes.check_state(self.state)

    def _begin_next(self, region_run: RegionRun) -> None:
        for frame in region_run.begin():
            for target in region_run.node.inner[frame.number].firsts:
                self._arrive(frame, target, True)

    def _leave(self, frame: Frame, region_run: RegionRun) -> None:
        """One node of the region less; the last one ends it."""
        frame.active -= 1
        if frame.active == 0:
            region_run.end(frame)
            # Several branches may end before the node goes on: it is queued once for all of them.
            if not region_run.is_queued:
                region_run.is_queued = True
                self.ready.append((frame, ENDED))

    def _arrive(self, frame: Frame, target: int, is_taken: bool) -> None:
        """An edge was decided: a node whose edges are all decided becomes ready, or passes on that it never runs."""
        node = self.runnable.nodes[target]
        if is_taken and node.arrivals < 2 and node.region_number == frame.region_number:  # the usual case, fast
            frame.active += 1
            self.ready.append((frame, target))
            return
        # A stack instead of recursion: a branch that was not taken may be thousands of nodes long.
        pending = [(target, is_taken)]
        while pending:
            index, taken = pending.pop()
            node = self.runnable.nodes[index]
            if node.region_number != frame.region_number and frame.within is not None:
                frame.within.exits.append((index, taken))  # out of the region: counts when all regions have ended
                continue
            if node.arrivals > 1:
                left, any_taken = frame.arrived.get(index, (node.arrivals, False))
                taken = taken or any_taken
                frame.arrived[index] = (left - 1, taken)
                if left > 1:
                    continue
            if taken:
                frame.active += 1
                self.ready.append((frame, index))
            else:
                pending.extend((behind, False) for behind in (*node.targets, *node.exits))
                pending.extend((branch.target, False) for branch in node.branches)

    def _store(self, frame: Frame, node: RuntimeNode, result: Json, finish_reason: FinishReason) -> None:
        # Entries give the input back; it was bounded when the request was read.
        if result is not self.request.input:
            self._budget.hold(size(result, MAX_HELD))
        frame.scope[node.id] = frame.last = result
        self.last = (result, finish_reason)
        if node.binding is not None:
            frame.scope[node.binding] = result
        if node.is_response:
            self.bound = self.last

    def _add_usage(self, node_run: NodeRun) -> None:
        so_far = self._usage or Usage(0, 0)
        self._usage = Usage(
            so_far.prompt_tokens + (node_run.prompt_tokens or 0),
            so_far.completion_tokens + (node_run.completion_tokens or 0),
        )

    def _output(self) -> tuple[dict[str, Json], FinishReason]:
        """The output and its finish reason: what is bound to `response`, else the result that came last."""
        result, finish_reason = self.bound or self.last
        # Such as a sub-flow's output, which is given on as it is.
        if self.bound is None and isinstance(result, dict) and RESPONSE in result:
            return result, finish_reason
        return {RESPONSE: result}, finish_reason


def _finished(node: RuntimeNode, node_run: NodeRun, result: Json) -> NodeFinished:
    duration_ms = (time.monotonic() - node_run.started_at) * 1000
    warnings, provider_errors = tuple(node_run.warnings), tuple(node_run.provider_errors)
    return NodeFinished(
        node.id,
        node.kind,
        duration_ms,
        result,
        warnings,
        provider_errors,
        read=node_run.read,
        usage=usage_of(node_run),
    )


def usage_of(node_run: NodeRun) -> Usage | None:
    """The tokens that models reported to a node; None where none did."""
    if node_run.prompt_tokens is None:
        return None
    return Usage(node_run.prompt_tokens, node_run.completion_tokens or 0)


def _choose(node: RuntimeNode, frame: Frame) -> Branch:
    """The branch that a node with conditional edges takes; RunFailed when none of their conditions holds."""
    for branch in node.branches:
        if branch.condition is None or branch.condition.holds(frame.scope):
            return branch
    raise RunFailed("no_branch")
