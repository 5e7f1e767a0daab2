"""The checks of each node in its flow: its config, as its kind sees it, and the conditions of the edges behind it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from scaicore.diagnostics import Diagnostic, error
from scaicore.errors import SourceUnreadable
from scaicore.flow import DEFAULT_PORT, Edge, FlowDocument
from scaicore.language.expressions import Expression, verify
from scaicore.nodes import KINDS
from scaicore.nodes.base import INPUT_NAMES, NodeConfig
from scaicore.nodes.checking import NodeCheck

Configs = Mapping[int, NodeConfig]  # by the node's index in the document; nodes whose config cannot be read are absent


def check(flow: FlowDocument, configs: Configs) -> Iterator[Diagnostic]:
    """The findings of every node, in the document's order."""
    outgoing: defaultdict[str, list[tuple[int, Edge]]] = defaultdict(list)
    for edge_index, edge in enumerate(flow.edges):
        outgoing[edge.source.node].append((edge_index, edge))
    for index, node_check in enumerate(_node_checks(flow, configs, outgoing)):
        if index in configs:
            yield from _check_node(configs[index], node_check)
        for edge_index, edge in outgoing[node_check.node.id]:
            yield from _check_condition(edge, edge_index, node_check)


def _node_checks(
    flow: FlowDocument, configs: Configs, outgoing: Mapping[str, list[tuple[int, Edge]]]
) -> Iterator[NodeCheck]:
    fed: defaultdict[str, set[str]] = defaultdict(set)  # node id → names that only this node sees
    for edge in flow.edges:
        if edge.type == "data":
            fed[edge.target.node].add(edge.target.port or DEFAULT_PORT)
    names = INPUT_NAMES.union(*_made(flow, configs))
    declared = {variable.name: variable.type for variable in flow.variables}
    for index, node in enumerate(flow.nodes):
        edges = [edge for _, edge in outgoing[node.id]]
        yield NodeCheck(flow, node, index, edges, names, frozenset(fed[node.id]), declared)


def _made(flow: FlowDocument, configs: Configs) -> Iterator[set[str]]:
    """The names that each node puts into the scope."""
    for index, node in enumerate(flow.nodes):
        # Of a node whose config cannot be read, too: or every other node that reads it would get a warning.
        binding = (node.config or {}).get("result_binding")
        made = KINDS[node.type].makes(configs[index]) if index in configs else ()
        yield {node.id, *made, *([binding] if isinstance(binding, str) else [])}


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
        may_hold = verify(source)
    except SourceUnreadable as problem:
        yield error("bad_condition", f"{about} cannot be read: {problem}", path, node=node_check.node.id, edge=edge.id)
        return
    if not may_hold:
        message = f"{about} is never true or false; compare it with a value."
        yield error("bad_condition", message, path, node=node_check.node.id, edge=edge.id)
    # The names belong to the edge's condition, not to the node's config.
    for finding in node_check.roots(Expression(source).roots, ""):
        yield msgspec.structs.replace(finding, path=path, edge_id=edge.id)
