"""The engine: walks a program from its entry and tells what happens as events.

Nodes that only calculate run here and now, one after the other, without a task or a queue. Nodes that wait run in a
crew of tasks, so that branches wait at the same time. Nodes that run others open regions of the flow. Checkpoints are
parked: once nothing else can go on, the run ends with a question, and another run goes on behind it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from typing import Final, NoReturn

from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json
from scaicore.nodes.base import CheckpointPlan, NodeRun, Plan
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
    crew: NodeTasks | None = None
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
                stage, visit = run.enter(frame, position)
                yield NodeStarted(stage.id, stage.kind)
                if stage.waits:
                    crew = crew or NodeTasks()
                    crew.start(stage, visit, responds=stage.id in run.runnable.responders)
                elif stage.plan is not None:
                    _carry_out(run, stage, visit, stage.plan)
                else:
                    yield _settle(run, stage, visit, _work(run, stage, visit))
                if run.steps % _BREATH == 0 or visit.started_at - breathed_at > _BREATH_S:
                    breathed_at = visit.started_at
                    await asyncio.sleep(0)
            if crew is None or not crew.is_busy:
                break
            yield _told(run, await crew.hear(run.remaining()))
        yield checkpoints.ask(run) if run.parked else run.finish()
    except (RunFailed, RunTimedOut):
        if run.failed is not None:
            yield run.failed
        raise
    finally:
        if crew is not None:
            await crew.disband()


def _work(run: FlowRun, stage: RuntimeNode, visit: NodeRun) -> Json:
    try:
        return stage.work(visit)
    except Exception as problem:
        _fail(problem, run, stage, visit)


def _carry_out(run: FlowRun, stage: RuntimeNode, visit: NodeRun, plan: Plan) -> None:
    """Begin what a node plans: to run others, or to wait for somebody's decision."""
    try:
        if isinstance(plan, CheckpointPlan):
            checkpoints.park(run, stage, visit, plan)
        else:
            run.open(stage, visit)
    except Exception as problem:
        _fail(problem, run, stage, visit)


def _proceed(run: FlowRun, opened: RegionRun) -> NodeFinished | None:
    try:
        return run.proceed(opened)
    except RunFailed as problem:
        _fail(problem, run, opened.stage, opened.visit)


def _told(run: FlowRun, said: TextDelta | NodeDone) -> Event:
    """The event for what a waiting node sent."""
    if isinstance(said, TextDelta):
        run.spoken.append(said.text)
        return said
    if said.error is not None:
        _fail(said.error, run, said.stage, said.visit)
    return _settle(run, said.stage, said.visit, said.result)


def _settle(run: FlowRun, stage: RuntimeNode, visit: NodeRun, result: Json) -> NodeFinished:
    try:
        return run.leave(stage, visit, result)
    except RunFailed as problem:
        _fail(problem, run, stage, visit)


def _fail(problem: Exception, run: FlowRun, stage: RuntimeNode, visit: NodeRun) -> NoReturn:
    """Raise what a caller may see; what nobody expected goes to the log alone."""
    known = _known(problem, visit)
    if known is None:
        logger.error("node %s (%s) failed", stage.id, stage.kind, exc_info=problem)
        known = RunFailed("node_failed")
    known.node_id = known.node_id or stage.id
    reason = known.reason if isinstance(known, RunFailed) else "timed_out"
    run.failed = NodeFailed(stage.id, stage.kind, (time.monotonic() - visit.started_at) * 1000, reason)
    if known is problem:
        raise known
    raise known from problem


def _known(problem: Exception, visit: NodeRun) -> RunFailed | RunTimedOut | None:
    if isinstance(problem, RunFailed | RunTimedOut):
        return problem
    if isinstance(problem, ServiceFailed):
        is_late = problem.reason == "timed_out" and visit.until - time.monotonic() < _NEAR_S
        return RunTimedOut() if is_late else RunFailed(f"service_{problem.reason}")
    return None
