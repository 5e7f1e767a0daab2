"""The engine: walks a program from its entry and reports what happens as events.

Nodes that only calculate run here and now, one after the other, without a task or a queue. Nodes that wait for the
world outside run in tasks, so that branches wait at the same time. Nodes that run others open regions of the flow.
Checkpoints are parked: once nothing else can go on, the run ends with a question, and a later run goes on behind it.
So are nodes whose model calls tools of the caller: the run ends with the calls.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from typing import Final, NoReturn

from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json
from scaicore.nodes.base import CheckpointPlan, Plan
from scaicore.nodes.node_run import NodeRun
from scaicore.runtime import checkpoints
from scaicore.runtime.frames import Frame
from scaicore.runtime.linker import RuntimeNode
from scaicore.runtime.protocol import Event, Finished, NodeFailed, NodeFinished, NodeStarted, RunRequest, TextDelta
from scaicore.runtime.run import ENDED, FlowRun, usage_of
from scaicore.runtime.tasks import NodeDone, NodeTasks, TaskEvent
from scaicore.runtime.tool_runs import run_tool
from scaicore.services import ServiceFailed

logger = logging.getLogger(__name__)

# A flow that only calculates would keep the event loop, and with it every other caller, waiting until it has ended.
_BREATH: Final = 64  # nodes after which other work of the process gets its turn
_BREATH_S: Final = 0.02  # or seconds
_NEAR_S: Final = 0.1  # a call that failed so near to the deadline was ended by it


async def execute(request: RunRequest) -> AsyncGenerator[Event, None]:
    """Run a program; ends with `Finished`, or raises RunFailed or RunTimedOut."""
    run, decided = checkpoints.begin(request)
    tasks = NodeTasks() if request.program.waits else None
    try:
        if decided is not None:
            yield _finish(run, *decided)
        while True:
            for event in _work(run, tasks):
                if event is None:
                    await asyncio.sleep(0)
                else:
                    yield event
            if tasks is None or not tasks.is_busy:
                break
            for told in await tasks.next_events(run.remaining()):
                yield _receive(run, told)
        yield _end(run)
    except (RunFailed, RunTimedOut):
        if run.failed is not None:
            yield run.failed
        raise
    finally:
        if tasks is not None:
            await tasks.cancel_all()


def calculate(request: RunRequest) -> Iterator[Event | None]:
    """The events of `execute` for a program that waits for nothing (`Runnable.waits`), one after the other.

    None in between is the moment to let other work of the process have its turn.
    """
    run, decided = checkpoints.begin(request)
    try:
        if decided is not None:
            yield _finish(run, *decided)
        yield from _work(run, None)
        yield _end(run)
    except (RunFailed, RunTimedOut):
        if run.failed is not None:
            yield run.failed
        raise


def _work(run: FlowRun, tasks: NodeTasks | None) -> Iterator[Event | None]:
    """Carry out what is ready and what becomes ready by that; nodes that wait begin among `tasks`."""
    breathed_at = time.monotonic()
    while run.ready:
        frame, index = run.ready.popleft()
        if index == ENDED:
            if (event := _continue(run, frame)) is not None:
                yield event
            continue
        node, node_run = run.start_node(frame, index)
        yield NodeStarted(node.id, node.kind)
        if node.waits and tasks is not None:
            node_run.run_tool = partial(run_tool, run, tasks.tell, node_run)
            tasks.start(node, node_run, responds=node.id in run.runnable.responders)
        elif node.plan is not None:
            _carry_out(run, node, node_run, node.plan)
        else:
            yield _calculate(run, node, node_run)
        if run.steps % _BREATH == 0 or node_run.started_at - breathed_at > _BREATH_S:
            breathed_at = node_run.started_at
            yield None


def _end(run: FlowRun) -> Finished:
    if run.called is not None:
        return checkpoints.hand_over(run, *run.called)
    return checkpoints.ask(run) if run.parked else run.finish()


def _calculate(run: FlowRun, node: RuntimeNode, node_run: NodeRun) -> NodeFinished:
    """Run a node that waits for nothing."""
    try:
        result = node.work(node_run)
    except Exception as problem:
        _fail(problem, run, node, node_run)
    return _finish(run, node, node_run, result)


def _carry_out(run: FlowRun, node: RuntimeNode, node_run: NodeRun, plan: Plan) -> None:
    """Begin what a node plans: to wait for somebody's decision, or to run others."""
    try:
        if isinstance(plan, CheckpointPlan):
            checkpoints.park(run, node, node_run, plan)
        else:
            run.begin_regions(node, node_run)
    except Exception as problem:
        _fail(problem, run, node, node_run)


def _continue(run: FlowRun, frame: Frame) -> NodeFinished | None:
    """Let the node go on that ran a region which has ended."""
    if (region_run := frame.within) is None:
        return None
    try:
        return run.continue_regions(region_run)
    except RunFailed as problem:
        _fail(problem, run, region_run.node, region_run.node_run)


def _receive(run: FlowRun, event: TaskEvent) -> Event:
    """The run's event for what a waiting node sent."""
    if isinstance(event, TextDelta):
        if event.kind != "thought":
            run.streamed.append(event.text)
        return event
    if not isinstance(event, NodeDone):
        return event
    if event.error is not None:
        _fail(event.error, run, event.node, event.node_run)
    if event.node_run.tool_calls:
        return _end_in_calls(run, event)
    return _finish(run, event.node, event.node_run, event.result)


def _end_in_calls(run: FlowRun, done: NodeDone) -> NodeFinished:
    try:
        return run.end_in_calls(done.node, done.node_run, done.result)
    except RunFailed as problem:
        _fail(problem, run, done.node, done.node_run)


def _finish(run: FlowRun, node: RuntimeNode, node_run: NodeRun, result: Json) -> NodeFinished:
    try:
        return run.finish_node(node, node_run, result)
    except RunFailed as problem:
        _fail(problem, run, node, node_run)


def _fail(problem: Exception, run: FlowRun, node: RuntimeNode, node_run: NodeRun) -> NoReturn:
    """Raise what a caller may see; the details of an unexpected error go to the log alone."""
    known = _known(problem, node_run)
    if known is None:
        logger.error("node %s (%s) failed", node.id, node.kind, exc_info=problem)
        known = RunFailed("node_failed")
    known.node_id = known.node_id or node.id
    reason = known.reason if isinstance(known, RunFailed) else "timed_out"
    said = [*node_run.provider_errors, *([known.said] if isinstance(known, RunFailed) and known.said else [])]
    duration_ms = (time.monotonic() - node_run.started_at) * 1000
    run.failed = NodeFailed(
        node.id, node.kind, duration_ms, reason, tuple(said), read=node_run.read, usage=usage_of(node_run)
    )
    if known is problem:
        raise known
    raise known from problem


def _known(problem: Exception, node_run: NodeRun) -> RunFailed | RunTimedOut | None:
    if isinstance(problem, RunFailed | RunTimedOut):
        return problem
    if isinstance(problem, ServiceFailed):
        # A client gets what is left of the node's time as its own limit, and may notice the end a little earlier than
        # the run does. The caller should read the same either way.
        is_late = problem.reason == "timed_out" and node_run.until - time.monotonic() < _NEAR_S
        if is_late:
            return RunTimedOut()
        return RunFailed(f"service_{problem.reason}", said=problem.said, retry_after_s=problem.retry_after_s)
    return None
