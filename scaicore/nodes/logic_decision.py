"""The decision: which way the flow goes on. The engine follows the first conditional edge that holds."""

from collections.abc import Iterator
from typing import Annotated, Literal

from scaicore.diagnostics import Diagnostic
from scaicore.jsondata import Json
from scaicore.nodes.base import NodeConfig, NodeKind, Work, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program


class LogicDecision(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`style` is `if`: the first condition that holds, in the document's order, else the branch `else`."""

    style: Annotated[
        Literal["if"], field("Style", "The first edge whose condition holds is taken, else the one that says so.", "if")
    ] = "if"


def _prepare(_config: LogicDecision, _program: Program) -> Work:
    return _decide


def _decide(_visit: NodeRun) -> Json:
    """Nothing by itself: the engine replaces None by the id of the edge that it took."""
    return None


def _check(_config: LogicDecision, check: NodeCheck) -> Iterator[Diagnostic]:
    ways = [edge for edge in check.outgoing if edge.type != "data"]
    if not any(edge.type == "conditional" for edge in ways):
        message = "a decision needs outgoing edges of type `conditional`; draw at least one with a condition."
        yield check.error("decision_without_conditions", message)
    elif any(edge.type == "sequential" for edge in ways):
        message = "every edge out of a decision must be `conditional`; give the sequential one the condition `else`."
        yield check.error("decision_without_conditions", message)


LOGIC_DECISION = NodeKind(
    kind="logic_decision",
    label="Decision",
    category="logic",
    summary="Goes on along the first edge whose condition holds.",
    config=LogicDecision,
    prepare=_prepare,
    check=_check,
    edge_type="conditional",
)
