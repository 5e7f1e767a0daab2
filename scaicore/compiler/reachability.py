"""Where runs of a flow begin, what they can reach and in which order, and the checks of that."""

from collections.abc import Iterable, Iterator
from typing import Final

from scaicore.compiler import graph
from scaicore.diagnostics import Diagnostic, error, warning
from scaicore.flow import Edge, FlowDocument
from scaicore.nodes import entered_by, region_owners
from scaicore.nodes.agents.tools import find_used
from scaicore.nodes.base import Regions
from scaicore.runtime import regions
from scaicore.runtime.regions import Arc, Region

_SHOWN: Final = 5  # nodes of a cycle


def find_entry(flow: FlowDocument) -> str | None:
    """Where a call begins: at the entry for calls, else at the first entry of another kind."""
    entries = [(node.id, entered_by(node.type)) for node in flow.nodes if entered_by(node.type)]
    first = entries[0][0] if entries else None
    return next((node_id for node_id, way in entries if way == "call"), first)


def starts(flow: FlowDocument) -> list[str]:
    """Where runs begin: at the entry of calls, at the one for webhooks, and at every schedule."""
    # Nothing else: what only a further entry leads to is left out of the program.
    webhook = next((node.id for node in flow.nodes if entered_by(node.type) == "webhook"), None)
    schedules = [node.id for node in flow.nodes if entered_by(node.type) == "schedule"]
    return list(dict.fromkeys(start for start in (find_entry(flow), webhook, *schedules) if start is not None))


def reached(flow: FlowDocument, following: graph.Successors) -> set[str]:
    """Every node that some run can come to, the tools of those that call some among them."""
    found = set[str]().union(*(graph.reachable(start, following) for start in starts(flow)))
    return found | find_used((node.type, node.config) for node in flow.nodes if node.id in found)


def forward(flow: FlowDocument) -> list[Edge]:
    """The edges without those that lead from the body of a loop back to it."""
    back = regions.returning(_owners(flow), _arcs(flow.edges))
    return [edge for edge in flow.edges if edge.type == "data" or _arc(edge) not in back] if back else flow.edges


def find_order(flow: FlowDocument) -> tuple[graph.Successors, list[Region]]:
    """What follows what, and the bodies of loops, for a flow whose order `check` found sound."""
    found = regions.find(_owners(flow), _arcs(edges := forward(flow)))
    return graph.successors(edges), [region for region in found if region.is_body]


def check(flow: FlowDocument) -> Iterator[Diagnostic]:
    """What is wrong with the order of the nodes; to be called only when every edge has two ends and ids are unique."""
    owners = _owners(flow)
    # Finding regions takes time in proportion to owners and edges, and reads what any tenant wrote.
    if len(owners) > regions.MAX_OWNERS:
        message = f"A flow has at most {regions.MAX_OWNERS} loops and parallels; split it into several flows."
        yield error("too_large", message, "nodes")
        return
    edges = forward(flow)
    yield from _check_order(flow, graph.successors(edges))
    yield from _check_ways_in(owners, edges)
    yield from _check_values_out(flow, owners, edges)


def _check_order(flow: FlowDocument, following: graph.Successors) -> Iterator[Diagnostic]:
    """Cycles, and nodes that no run reaches."""
    if cycle := graph.find_cycle([node.id for node in flow.nodes], following):
        shown = " → ".join([*cycle[:_SHOWN], "…"] if len(cycle) > _SHOWN else [*cycle, cycle[0]])
        message = f"These nodes wait for each other: {shown}. Remove one of the edges; repeat with a loop node."
        yield error("cycle", message, "edges", node=cycle[0])
    # Without an entry nothing is reached, and one finding says so already.
    start = find_entry(flow)
    if start is not None:
        found = reached(flow, following)
        for index, node in enumerate(flow.nodes):
            if node.id not in found and entered_by(node.type) is None:
                message = f"Node `{node.id}` never runs: no edge leads to it from the entry `{start}`."
                yield warning("unreachable_node", message, f"nodes[{index}]", node=node.id)


def _check_ways_in(owners: dict[str, Regions], edges: Iterable[Edge]) -> Iterator[Diagnostic]:
    """Edges into a loop's body that do not come through the loop: a turn could not tell when it begins."""
    for loop, arc in regions.leaks(owners, _arcs(edges)):
        message = (
            f"Node `{arc.target}` is in the body of loop `{loop}`, and node `{arc.source}` leads there from outside."
            f" Join behind the loop's port `{owners[loop].done}`."
        )
        yield error("loop_leak", message, "edges", node=arc.target)


def _check_values_out(flow: FlowDocument, owners: dict[str, Regions], edges: Iterable[Edge]) -> Iterator[Diagnostic]:
    """Data edges out of a loop's body: its scope ends with each turn."""
    bodies = [region for region in regions.find(owners, _arcs(edges)) if region.is_body]
    # The larger bodies come first, so the last one that names a node is the innermost.
    innermost = {node_id: body for body in bodies for node_id in body.nodes}
    for index, edge in enumerate(flow.edges):
        body = innermost.get(edge.source.node)
        if edge.type == "data" and body is not None and edge.target.node not in body.nodes:
            message = (
                f"Node `{edge.source.node}` is in the body of loop `{body.owner}`, which its value cannot leave by an"
                " edge. Take the loop's own result."
            )
            yield error("loop_leak", message, f"edges[{index}]", node=body.owner, edge=edge.id)


def _owners(flow: FlowDocument) -> dict[str, Regions]:
    return region_owners({node.id: node.type for node in flow.nodes})


def _arcs(edges: Iterable[Edge]) -> list[Arc]:
    return [_arc(edge) for edge in edges if edge.type != "data"]


def _arc(edge: Edge) -> Arc:
    return Arc(edge.source.node, edge.source.port, edge.target.node)
