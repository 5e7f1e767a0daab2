"""The engine: walks a program from its entry and tells what happens as events.

Nodes that only calculate run here and now, one after the other, without a task or a queue. Nodes that wait run in a
crew of tasks, so that branches wait at the same time.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from typing import Final, NoReturn

from scaicore.crew import Crew, Done
from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json
from scaicore.link import Stage
from scaicore.nodes.base import Visit
from scaicore.protocol import Event, NodeFinished, NodeStarted, RunRequest, TextDelta
from scaicore.run import Run
from scaicore.services import ServiceFailed

logger = logging.getLogger(__name__)

_BREATH: Final = 64  # steps after which other work of the process gets its turn
_NEAR_S: Final = 0.1  # a call that ends so near to the deadline was ended by it


async def execute(request: RunRequest) -> AsyncGenerator[Event, None]:
    """Run a program; ends with `Finished`, or raises RunFailed or RunTimedOut."""
    run = Run(request)
    crew: Crew | None = None
    try:
        while True:
            while run.ready:
                stage, visit = run.enter()
                yield NodeStarted(stage.id, stage.kind)
                if stage.waits:
                    crew = crew or Crew()
                    crew.start(stage, visit, responds=stage.id in run.runnable.responders)
                else:
                    yield _settle(run, stage, visit, _work(stage, visit))
                if run.steps % _BREATH == 0:
                    await asyncio.sleep(0)
            if crew is None or not crew.is_busy:
                break
            yield _told(run, await crew.hear(run.remaining()))
        yield run.finish()
    finally:
        if crew is not None:
            await crew.disband()


def _work(stage: Stage, visit: Visit) -> Json:
    try:
        return stage.work(visit)
    except Exception as problem:
        _fail(problem, stage, visit)


def _told(run: Run, said: TextDelta | Done) -> Event:
    """The event for what a waiting node sent."""
    if isinstance(said, TextDelta):
        run.spoken.append(said.text)
        return said
    if said.error is not None:
        _fail(said.error, said.stage, said.visit)
    return _settle(run, said.stage, said.visit, said.result)


def _settle(run: Run, stage: Stage, visit: Visit, result: Json) -> NodeFinished:
    try:
        return run.leave(stage, visit, result)
    except RunFailed as problem:
        _fail(problem, stage, visit)


def _fail(problem: Exception, stage: Stage, visit: Visit) -> NoReturn:
    """Raise what a caller may see; what nobody expected goes to the log alone."""
    if isinstance(problem, ServiceFailed):
        is_late = problem.reason == "timed_out" and visit.until - time.monotonic() < _NEAR_S
        raise RunTimedOut(stage.id) if is_late else RunFailed(f"service_{problem.reason}", stage.id)
    if isinstance(problem, RunFailed | RunTimedOut):
        problem.node_id = problem.node_id or stage.id
        raise problem
    logger.error("node %s (%s) failed", stage.id, stage.kind, exc_info=problem)
    raise RunFailed("node_failed", stage.id) from problem
