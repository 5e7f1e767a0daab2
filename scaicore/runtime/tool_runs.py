"""Tools that a model calls while its node is at work: each runs as a node does, and is seen with its arguments."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json
from scaicore.nodes.node_run import NodeRun, ToolUse
from scaicore.runtime.protocol import NodeFailed, NodeFinished, NodeStarted
from scaicore.runtime.run import FlowRun, usage_of
from scaicore.services import ServiceFailed

logger = logging.getLogger(__name__)

Tell = Callable[[NodeStarted | NodeFinished | NodeFailed], Awaitable[None]]


async def run_tool(run: FlowRun, tell: Tell, caller: NodeRun, use: ToolUse) -> Json:
    """What the tool gives; raises RunFailed or ServiceFailed where it fails. Tokens that it takes are the caller's."""
    tool_run, work = run.start_tool(caller, use)
    await tell(NodeStarted(use.id, use.kind, use.call, use.arguments))
    try:
        result = await _work(work, tool_run)
        run.hold(result)
    except (RunFailed, ServiceFailed) as problem:
        await tell(_failed(use, tool_run, problem))
        raise
    finally:
        if tool_run.prompt_tokens is not None:
            # Whoever ran the models has counted them in the request's budget.
            caller.spend(tool_run.prompt_tokens, tool_run.completion_tokens or 0, is_counted=True)
    await tell(
        NodeFinished(
            use.id,
            use.kind,
            _elapsed_ms(tool_run),
            result,
            tuple(tool_run.warnings),
            tuple(tool_run.provider_errors),
            use.call,
            usage=usage_of(tool_run),
        )
    )
    return result


async def _work(work: Callable[[NodeRun], Awaitable[Json]], tool_run: NodeRun) -> Json:
    try:
        async with asyncio.timeout(max(0.0, tool_run.until - time.monotonic())):
            return await work(tool_run)
    except (TimeoutError, RunTimedOut):
        raise ServiceFailed("timed_out") from None  # the caller goes on, as far as its own time reaches
    except (RunFailed, ServiceFailed):
        raise
    except Exception as problem:
        logger.error("a tool failed", exc_info=problem)
        raise RunFailed("node_failed") from None


def _failed(use: ToolUse, tool_run: NodeRun, problem: RunFailed | ServiceFailed) -> NodeFailed:
    reason = f"service_{problem.reason}" if isinstance(problem, ServiceFailed) else problem.reason
    told = (*tool_run.provider_errors, *filter(None, [problem.said]))
    return NodeFailed(use.id, use.kind, _elapsed_ms(tool_run), reason, told, use.call)


def _elapsed_ms(tool_run: NodeRun) -> float:
    return (time.monotonic() - tool_run.started_at) * 1000
