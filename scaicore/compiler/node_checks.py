"""The checks of each node in its flow: its config, as its kind sees it, and the conditions of the edges behind it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise

import msgspec

from scaicore.compiler.precedence import Precedence
from scaicore.diagnostics import Diagnostic, error, warning
from scaicore.errors import SourceUnreadable
from scaicore.flow import DEFAULT_PORT, Edge, FlowDocument, Node
from scaicore.language.expressions import Expression
from scaicore.language.names import INPUT_NAMES
from scaicore.nodes import KINDS
from scaicore.nodes.agents import tools
from scaicore.nodes.base import NodeConfig
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.entry import EntryApi
from scaicore.nodes.llm_flexible import LlmFlexible

Configs = Mapping[int, NodeConfig]  # by the node's index in the document; nodes whose config cannot be read are absent


def check(flow: FlowDocument, configs: Configs, precedence: Precedence | None) -> Iterator[Diagnostic]:
    """The findings of every node, in the document's order; without `precedence`, none about which result is there."""
    outgoing: defaultdict[str, list[tuple[int, Edge]]] = defaultdict(list)
    for edge_index, edge in enumerate(flow.edges):
        outgoing[edge.source.node].append((edge_index, edge))
    for index, node_check in enumerate(_node_checks(flow, configs, outgoing, precedence)):
        if index in configs:
            yield from _check_node(configs[index], node_check)
        for edge_index, edge in outgoing[node_check.node.id]:
            yield from _check_condition(edge, edge_index, node_check)
    if precedence:
        yield from _check_bindings(flow, precedence)


def _node_checks(
    flow: FlowDocument,
    configs: Configs,
    outgoing: Mapping[str, list[tuple[int, Edge]]],
    precedence: Precedence | None,
) -> Iterator[NodeCheck]:
    fed: defaultdict[str, set[str]] = defaultdict(set)  # node id → names that only this node sees
    for edge in flow.edges:
        if edge.type == "data":
            fed[edge.target.node].add(edge.target.port or DEFAULT_PORT)
    makers = _makers(flow, configs)
    names = INPUT_NAMES.union(makers, _inputs(configs))
    given = _arguments(flow, configs)
    declared = {variable.name: variable.type for variable in flow.variables}
    for index, node in enumerate(flow.nodes):
        edges = [edge for _, edge in outgoing[node.id]]
        # What a tool reads is there when its model calls it, or not: no edge says.
        gap = partial(precedence.find_gap, makers, node.id) if precedence and node.id not in given else _no_gap
        ports = frozenset(fed[node.id]) | given.get(node.id, frozenset())
        yield NodeCheck(flow, node, index, edges, names, frozenset(makers), ports, declared, gap)


def _no_gap(_name: str, *, is_behind: bool = False) -> str | None:
    return None


def _inputs(configs: Configs) -> Iterator[str]:
    """What calls may send beside the message, as the entries say."""
    for config in configs.values():
        if isinstance(config, EntryApi):
            yield from (given.name for given in config.inputs)


def _arguments(flow: FlowDocument, configs: Configs) -> dict[str, frozenset[str]]:
    """The nodes that models call, with the names of the arguments that each of them finds in its scope."""
    nodes = {node.id: node for node in flow.nodes}
    found: dict[str, frozenset[str]] = {}
    for config in configs.values():
        for tool in config.tools if isinstance(config, LlmFlexible) else ():
            if tool.node in nodes:
                names = tools.parameter_names(tool, nodes[tool.node])
                found[tool.node] = found.get(tool.node, frozenset()) | names
    return found


def _makers(flow: FlowDocument, configs: Configs) -> dict[str, list[str]]:
    """Name → the nodes that put it into the scope."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for index, node in enumerate(flow.nodes):
        # Of a node whose config cannot be read, too: or every other node that reads it would get a warning.
        made = KINDS[node.type].makes(configs[index]) if index in configs else ()
        for name in dict.fromkeys((node.id, *made, *_bindings(node))):
            found[name].append(node.id)
    return found


def _bindings(node: Node) -> tuple[str, ...]:
    binding = (node.config or {}).get("result_binding")
    return (binding,) if isinstance(binding, str) else ()


def _check_bindings(flow: FlowDocument, precedence: Precedence) -> Iterator[Diagnostic]:
    """Nodes that call their results the same although one run may come to both."""
    bound: defaultdict[str, list[str]] = defaultdict(list)
    for node in flow.nodes:
        for binding in _bindings(node):
            bound[binding].append(node.id)
    for binding, nodes in bound.items():
        # Neighbours are enough to notice it; all pairs of thousands would take long.
        pair = next((pair for pair in pairwise(nodes) if not precedence.exclude(*pair)), None)
        if pair:
            message = f"Nodes `{pair[0]}` and `{pair[1]}` both call their result `{binding}`; one replaces the other."
            yield warning("equal_bindings", message, "nodes", node=pair[1])


def _check_node(config: NodeConfig, node_check: NodeCheck) -> Iterator[Diagnostic]:
    kind = KINDS[node_check.node.type]
    if kind.asks and node_check.flow.instance_mode != "entity":
        message = "it waits for a later message, and only a Core in `entity` mode knows which one is meant. "
        yield node_check.error("needs_entity_mode", f"{message}Set the instance mode in the flow's properties.")
    yield from kind.check(config, node_check)


def _check_condition(edge: Edge, index: int, node_check: NodeCheck) -> Iterator[Diagnostic]:
    source = (edge.condition or "").strip()
    if edge.type != "conditional" or not source or edge.is_else:
        return
    path = f"edges[{index}].condition"
    about = f"The condition of an edge behind node `{node_check.node.id}`"
    try:
        problem = node_check.find_unfit(source)
    except SourceUnreadable as unreadable:
        message = f"{about} cannot be read: {unreadable}"
        yield error("bad_condition", message, path, node=node_check.node.id, edge=edge.id)
        return
    if problem:
        yield msgspec.structs.replace(problem, message=f"{about} {problem.message}", path=path, edge_id=edge.id)
    # The names belong to the edge's condition, not to the node's config.
    for finding in node_check.roots(Expression(source).roots, "", is_behind=True):
        yield msgspec.structs.replace(finding, path=path, edge_id=edge.id)
