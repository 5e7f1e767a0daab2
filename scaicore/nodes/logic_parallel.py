"""The parallel: its branches run at the same time, and what is behind them begins when all of them have ended."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from scaicore.diagnostics import Diagnostic
from scaicore.nodes.base import Branches, NodeConfig, NodeKind, ParallelPlan, field
from scaicore.nodes.checking import NodeCheck
from scaicore.program import Program


class LogicParallel(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """At most `max_concurrency` branches run at a time; all of them when it is absent."""

    max_concurrency: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        field("Max concurrency", "How many branches run at a time; left out, all.", 4),
    ] = None


def _prepare(config: LogicParallel, _program: Program) -> ParallelPlan:
    return ParallelPlan(config.max_concurrency)


def _check(_config: LogicParallel, check: NodeCheck) -> Iterator[Diagnostic]:
    if any(edge.type == "conditional" for edge in check.outgoing):
        message = (
            "every edge out of a parallel must be `sequential`, since all are taken; decide in a `logic_decision`."
        )
        yield check.error("bad_value", message)


LOGIC_PARALLEL = NodeKind(
    kind="logic_parallel",
    label="Parallel",
    category="logic",
    summary="Runs its branches at once; the result holds each branch's last result by its first node's id.",
    config=LogicParallel,
    prepare=_prepare,
    check=_check,
    regions=Branches(done="done"),
)
