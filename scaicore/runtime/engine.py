"""The engine: walks a program from its entry and tells what happens as events.

Nodes that only calculate run here and now, one after the other, without a task or a queue. Nodes that wait run in a
tasks, so that branches wait at the same time. Nodes that run others open regions of the flow. Checkpoints are
parked: once nothing else can go on, the run ends with a question, and another run goes on behind it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from typing import Final, NoReturn

from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json
from scaicore.nodes.base import CheckpointPlan, Plan
from scaicore.nodes.node_run import NodeRun
from scaicore.runtime import checkpoints
from scaicore.runtime.frames import RegionRun
from scaicore.runtime.linker import RuntimeNode
from scaicore.runtime.protocol import Event, NodeFailed, NodeFinished, NodeStarted, RunRequest, TextDelta
from scaicore.runtime.run import ENDED, FlowRun
from scaicore.runtime.tasks import NodeDone, NodeTasks
from scaicore.services import ServiceFailed

logger = logging.getLogger(__name__)

_BREATH: Final = 64  # steps after which other work of the process gets its turn
_BREATH_S: Final = 0.02  # or seconds
_NEAR_S: Final = 0.1  # a call that ends so near to the deadline was ended by it


async def execute(request: RunRequest) -> AsyncGenerator[Event, None]:
    """Run a program; ends with `Finished`, or raises RunFailed or RunTimedOut."""
    run, decided = checkpoints.begin(request)
    tasks: NodeTasks | None = None
    breathed_at = time.monotonic()
    try:
        if decided is not None:
            yield _settle(run, *decided)
        while True:
            while run.ready:
                frame, position = run.ready.popleft()
                if position == ENDED:
                    if frame.within is not None and (event := _proceed(run, frame.within)) is not None:
                        yield event
                    continue
                node, node_run = run.enter(frame, position)
                yield NodeStarted(node.id, node.kind)
                if node.waits:
                    tasks = tasks or NodeTasks()
                    tasks.start(node, node_run, responds=node.id in run.runnable.responders)
                elif node.plan is not None:
                    _carry_out(run, node, node_run, node.plan)
                else:
                    yield _settle(run, node, node_run, _work(run, node, node_run))
                if run.steps % _BREATH == 0 or node_run.started_at - breathed_at > _BREATH_S:
                    breathed_at = node_run.started_at
                    await asyncio.sleep(0)
            if tasks is None or not tasks.is_busy:
                break
            yield _read(run, await tasks.next_event(run.remaining()))
        yield checkpoints.ask(run) if run.parked else run.finish()
    except (RunFailed, RunTimedOut):
        if run.failed is not None:
            yield run.failed
        raise
    finally:
        if tasks is not None:
            await tasks.cancel_all()


def _work(run: FlowRun, node: RuntimeNode, node_run: NodeRun) -> Json:
    try:
        return node.work(node_run)
    except Exception as problem:
        _fail(problem, run, node, node_run)


def _carry_out(run: FlowRun, node: RuntimeNode, node_run: NodeRun, plan: Plan) -> None:
    """Begin what a node plans: to run others, or to wait for somebody's decision."""
    try:
        if isinstance(plan, CheckpointPlan):
            checkpoints.park(run, node, node_run, plan)
        else:
            run.open(node, node_run)
    except Exception as problem:
        _fail(problem, run, node, node_run)


def _proceed(run: FlowRun, region_run: RegionRun) -> NodeFinished | None:
    try:
        return run.proceed(region_run)
    except RunFailed as problem:
        _fail(problem, run, region_run.node, region_run.node_run)


def _read(run: FlowRun, event: TextDelta | NodeDone) -> Event:
    """The event for what a waiting node sent."""
    if isinstance(event, TextDelta):
        run.streamed.append(event.text)
        return event
    if event.error is not None:
        _fail(event.error, run, event.node, event.node_run)
    return _settle(run, event.node, event.node_run, event.result)


def _settle(run: FlowRun, node: RuntimeNode, node_run: NodeRun, result: Json) -> NodeFinished:
    try:
        return run.leave(node, node_run, result)
    except RunFailed as problem:
        _fail(problem, run, node, node_run)


def _fail(problem: Exception, run: FlowRun, node: RuntimeNode, node_run: NodeRun) -> NoReturn:
    """Raise what a caller may see; what nobody expected goes to the log alone."""
    known = _known(problem, node_run)
    if known is None:
        logger.error("node %s (%s) failed", node.id, node.kind, exc_info=problem)
        known = RunFailed("node_failed")
    known.node_id = known.node_id or node.id
    reason = known.reason if isinstance(known, RunFailed) else "timed_out"
    run.failed = NodeFailed(node.id, node.kind, (time.monotonic() - node_run.started_at) * 1000, reason)
    if known is problem:
        raise known
    raise known from problem


def _known(problem: Exception, node_run: NodeRun) -> RunFailed | RunTimedOut | None:
    if isinstance(problem, RunFailed | RunTimedOut):
        return problem
    if isinstance(problem, ServiceFailed):
        is_late = problem.reason == "timed_out" and node_run.until - time.monotonic() < _NEAR_S
        return RunTimedOut() if is_late else RunFailed(f"service_{problem.reason}")
    return None
