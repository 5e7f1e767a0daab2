"""How a flow lies: where it begins, what follows what, what a loop or a parallel runs; and the checks of that."""

from collections.abc import Iterable, Iterator
from typing import Final

from scaicore import graph
from scaicore.diagnostics import Diagnostic, error, warning
from scaicore.flow import Edge, FlowDocument
from scaicore.runtime import regions
from scaicore.runtime.regions import Arc

ENTRIES: Final = frozenset({"entry_api", "entry_webhook", "entry_schedule"})
_SHOWN: Final = 5


def entry(flow: FlowDocument) -> str | None:
    """Where a call begins: the `entry_api`, else the first entry of another kind."""
    found = [node for node in flow.nodes if node.type in ENTRIES]
    return next((node.id for node in found if node.type == "entry_api"), found[0].id if found else None)


def starts(flow: FlowDocument) -> list[str]:
    """Where runs begin: the entry of calls, and beside it the `entry_webhook`."""
    hook = next((node.id for node in flow.nodes if node.type == "entry_webhook"), None)
    return list(dict.fromkeys(start for start in (entry(flow), hook) if start is not None))


def reached(flow: FlowDocument, following: graph.Successors) -> set[str]:
    """Every node that some run can come to."""
    return set().union(*(graph.reachable(start, following) for start in starts(flow)))


def forward(flow: FlowDocument) -> list[Edge]:
    """The edges without those by which the body of a loop leads back to it."""
    back = regions.returning(_kinds(flow), _arcs(flow.edges))
    return [edge for edge in flow.edges if edge.type == "data" or _arc(edge) not in back] if back else flow.edges


def check(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Asked only when every edge has two ends and every node an id of its own."""
    owners = sum(node.type in (regions.LOOP, regions.PARALLEL) for node in flow.nodes)
    if owners > regions.MAX_OWNERS:
        message = f"A flow has at most {regions.MAX_OWNERS} loops and parallels; split it into several flows."
        yield error("too_large", message, "nodes")
        return
    edges = forward(flow)
    yield from _order(flow, graph.successors(edges))
    yield from _ways_in(flow, edges)
    yield from _values_out(flow, edges)


def _order(flow: FlowDocument, following: graph.Successors) -> Iterator[Diagnostic]:
    """Circles, and nodes that no run reaches."""
    if circle := graph.circle([node.id for node in flow.nodes], following):
        shown = " → ".join([*circle[:_SHOWN], "…"] if len(circle) > _SHOWN else [*circle, circle[0]])
        message = f"These nodes wait for each other: {shown}. Remove one of the edges; repeat with a loop node."
        yield error("cycle", message, "edges", node=circle[0])
    start = entry(flow)
    if start is not None:
        found = reached(flow, following)
        for index, node in enumerate(flow.nodes):
            if node.id not in found and node.type not in ENTRIES:
                message = f"Node `{node.id}` never runs: no edge leads to it from the entry `{start}`."
                yield warning("unreachable_node", message, f"nodes[{index}]", node=node.id)


def _ways_in(flow: FlowDocument, edges: Iterable[Edge]) -> Iterator[Diagnostic]:
    for loop, arc in regions.leaks(_kinds(flow), _arcs(edges)):
        message = (
            f"Node `{arc.target}` is in the body of loop `{loop}`, and node `{arc.source}` leads there from outside."
        )
        yield error("loop_leak", f"{message} Join behind the loop's port `done`.", "edges", node=arc.target)


def _values_out(flow: FlowDocument, edges: Iterable[Edge]) -> Iterator[Diagnostic]:
    """Data edges out of a loop's body: its scope ends with each turn."""
    kinds = _kinds(flow)
    bodies = [region for region in regions.find(kinds, _arcs(edges)) if kinds[region.owner] == regions.LOOP]
    innermost = {node_id: body for body in bodies for node_id in body.nodes}
    for index, edge in enumerate(flow.edges):
        body = innermost.get(edge.source.node)
        if edge.type == "data" and body is not None and edge.target.node not in body.nodes:
            message = (
                f"Node `{edge.source.node}` is in the body of loop `{body.owner}`, which its value cannot leave by an"
            )
            path = f"edges[{index}]"
            yield error(
                "loop_leak", f"{message} edge. Take the loop's own result.", path, node=body.owner, edge=edge.id
            )


def _kinds(flow: FlowDocument) -> dict[str, str]:
    return {node.id: node.type for node in flow.nodes}


def _arcs(edges: Iterable[Edge]) -> list[Arc]:
    return [_arc(edge) for edge in edges if edge.type != "data"]


def _arc(edge: Edge) -> Arc:
    return Arc(edge.source.node, edge.source.port, edge.target.node)
