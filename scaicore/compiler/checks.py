"""The checks of a flow as a whole: each is a function from the flow to its findings.

They do not depend on each other, and all of them run: an author sees everything that is wrong at once.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, Literal

from scaicore.diagnostics import Diagnostic, error, warning
from scaicore.flow import Edge, FlowDocument, Node
from scaicore.language import variables
from scaicore.language.names import RESERVED, can_bind, is_slug, shown
from scaicore.nodes import KINDS, UNAVAILABLE, entered_by, may_ask
from scaicore.nodes.base import SYSTEM_NAMES, EnteredBy
from scaicore.program import RESPONSE


def kinds(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Kinds that do not run here, or do not exist."""
    for index, node in enumerate(flow.nodes):
        path = f"nodes[{index}].type"
        if reason := UNAVAILABLE.get(node.type):
            message = f"Node `{node.id}` of kind `{node.type}` cannot run here: {reason}. Remove the node to deploy."
            yield error("kind_not_available", message, path, node=node.id)
        elif node.type not in KINDS:
            message = (
                f"Node `{node.id}` has the unknown kind `{node.type[:80]}`. Kinds that run here: {', '.join(KINDS)}."
            )
            yield error("unknown_node_kind", message, path, node=node.id)


def duplicates(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Names that must be unique and are not."""
    yield from _twice("Node id", "nodes", [node.id for node in flow.nodes])
    yield from _twice("Edge id", "edges", [edge.id for edge in flow.edges if edge.id])
    yield from _twice("Variable", "variables", [variable.name for variable in flow.variables])
    yield from _twice("Model role", "config.core_identity.models", [model.role for model in flow.models])
    for index, node in enumerate(flow.nodes):
        for side in ("inputs", "outputs"):
            ports = [port.id for port in getattr(node, side) or ()]
            yield from _twice(f"Port of node `{node.id}`", f"nodes[{index}].{side}", ports, node=node.id)


def _twice(what: str, path: str, names: list[str], node: str | None = None) -> Iterator[Diagnostic]:
    for name, count in Counter(names).items():
        if count > 1:
            message = f"{what} `{name}` is used {count} times; give each one its own."
            # An editor jumps to the node or edge that a finding names.
            ids = {"nodes": {"node": name}, "edges": {"edge": name}}.get(path, {"node": node})
            yield error("duplicate_id", message, path, **ids)


def names(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Ids, bindings and variables that the scope cannot hold, or that hide what a run itself puts there."""
    for index, node in enumerate(flow.nodes):
        if node.id in RESERVED or node.id == RESPONSE:
            message = f"Node `{node.id}` has a name that the runtime uses itself; give the node another id."
            yield error("reserved_name", message, f"nodes[{index}].id", node=node.id)
        # Read from the raw config: also where the kind is unknown, or the rest of the config unreadable.
        binding = (node.config or {}).get("result_binding")
        if isinstance(binding, str) and not can_bind(binding):
            message = (
                f"Node `{shown(node.id)}`: `{shown(binding)}` cannot name a result; use a plain word such as `answer`."
            )
            yield error("reserved_name", message, f"nodes[{index}].config.result_binding", node=node.id)
    for index, variable in enumerate(flow.variables):
        if variable.name in RESERVED:
            message = f"Variable `{variable.name}` has a name that the runtime uses itself; give it another."
            yield error("reserved_name", message, f"variables[{index}].name")


def slug(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Whether the slug that the document chooses can be one."""
    if flow.slug and not is_slug(flow.slug):
        message = (
            f"`{shown(flow.slug)}` is no slug; use 1 to 63 lower-case letters, digits and hyphens, with no hyphen at "
            "either end, or leave it empty to have one made from the flow's name."
        )
        yield error("bad_value", message, "config.slug")


def characters(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Ids with characters that nobody sees."""
    for index, node in enumerate(flow.nodes):
        yield from _printable("Node id", node.id, f"nodes[{index}].id", node=node.id)
        for side in ("inputs", "outputs"):
            for number, port in enumerate(getattr(node, side) or ()):
                yield from _printable("Port", port.id, f"nodes[{index}].{side}[{number}].id", node=node.id)
    for index, edge in enumerate(flow.edges):
        yield from _printable("Edge id", edge.id or "", f"edges[{index}].id", edge=edge.id)


def _printable(what: str, name: str, path: str, **ids: str | None) -> Iterator[Diagnostic]:
    if not name.isprintable():
        message = f"{what} `{shown(name)}` has characters that do not print; use letters, digits, `_` and `-`."
        yield error("bad_value", message, path, **ids)


def declarations(flow: FlowDocument) -> Iterator[Diagnostic]:
    """The types of variables, and whether their defaults fit."""
    for index, variable in enumerate(flow.variables):
        path = f"variables[{index}]"
        if variable.type not in variables.TYPES:
            known = ", ".join(variables.TYPES)
            message = f"Variable `{variable.name}` has the unknown type `{variable.type[:80]}`; types are {known}."
            yield error("bad_variable_type", message, f"{path}.type")
        elif variable.has_default and not variables.fits(variable.default, variable.type):
            message = f"The default of variable `{variable.name}` does not fit its type `{variable.type}`."
            yield error("wrong_type", message, f"{path}.default")


def entries(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Whether runs can begin, and whether it is clear where."""
    calls, webhooks = _entries(flow, "call"), _entries(flow, "webhook")
    if not any(entered_by(node.type) for node in flow.nodes):
        yield error("no_entry", "The flow has no entry; add an `entry_api` node and draw an edge from it.", "nodes")
    for node in calls[1:] + webhooks[1:]:
        message = f"Node `{node.id}` is a second `{node.type}`; a call could not know where to begin. Keep one."
        yield error("multiple_entries", message, "nodes", node=node.id)
    # A schedule cannot say whose memory it means.
    if flow.instance_mode == "entity" and not calls and not webhooks:
        message = "Entity mode needs an `entry_api` or an `entry_webhook`: only a call names an entity."
        yield error("entity_never_received", message, "config.scaiflow_meta.instance_mode")
    # A question that waits for its answer is remembered without any variable.
    asks = any(may_ask(node.type) for node in flow.nodes)
    if flow.instance_mode != "stateless" and not flow.variables and not asks:
        message = f"The Core is in {flow.instance_mode} mode but declares no variable, so it remembers nothing."
        yield warning("memory_without_variables", message, "variables")


def _entries(flow: FlowDocument, way: EnteredBy) -> list[Node]:
    return [node for node in flow.nodes if entered_by(node.type) == way]


def edges(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Whether edges have two ends, and lead where they may."""
    nodes = {node.id: node for node in flow.nodes}
    for index, edge in enumerate(flow.edges):
        yield from _end(edge, index, "source", nodes)
        yield from _end(edge, index, "target", nodes)
        target = nodes.get(edge.target.node)
        # A value may go to an entry by a data edge: it orders nothing, so no run comes there a second time.
        if target is not None and entered_by(target.type) and edge.type != "data":
            message = f"{_called(edge, index)} leads into the entry `{target.id}`, where only calls come in; remove it."
            yield error("edge_into_entry", message, f"edges[{index}]", node=target.id, edge=edge.id)
        if edge.type == "data" and edge.target.port in SYSTEM_NAMES:
            message = (
                f"{_called(edge, index)} feeds the port `{edge.target.port}`, a name that the runtime uses itself."
            )
            yield error("reserved_name", f"{message} Rename it.", f"edges[{index}].target.port", edge=edge.id)


def _end(edge: Edge, index: int, side: Literal["source", "target"], nodes: dict[str, Node]) -> Iterator[Diagnostic]:
    end = edge.source if side == "source" else edge.target
    path = f"edges[{index}].{side}"
    node = nodes.get(end.node)
    if node is None:
        message = f"{_called(edge, index)} has no node at its {side}: there is no `{end.node[:80]}`. Draw it again."
        yield error("dangling_edge", message, f"{path}.node", edge=edge.id)
    elif end.port is not None and not node.has_port("outputs" if side == "source" else "inputs", end.port):
        message = f"{_called(edge, index)} uses the port `{end.port[:80]}`, which node `{node.id}` does not declare."
        yield error("dangling_port", message, f"{path}.port", node=node.id, edge=edge.id)


def _called(edge: Edge, index: int) -> str:
    """The edge in a message; ids are optional."""
    return f"Edge `{edge.id}`" if edge.id else f"Edge number {index + 1}"


def conditions(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Whether conditional edges say when they are taken. Whether a condition can be read is checked with its node."""
    otherwise: defaultdict[str, list[Edge]] = defaultdict(list)
    for index, edge in enumerate(flow.edges):
        if edge.type == "conditional" and not (edge.condition or "").strip():
            message = f"{_called(edge, index)} is conditional without a condition; write one, or `else`."
            yield error("bad_condition", message, f"edges[{index}].condition", node=edge.source.node, edge=edge.id)
        elif edge.type == "conditional" and edge.is_else:
            otherwise[edge.source.node].append(edge)
        elif edge.type == "sequential" and edge.condition:
            message = f"{_called(edge, index)} is sequential, so its condition is ignored; make the edge conditional."
            yield warning(
                "ignored_condition", message, f"edges[{index}].condition", node=edge.source.node, edge=edge.id
            )
    for node_id, found in otherwise.items():
        if len(found) > 1:
            message = f"Node `{node_id}` has {len(found)} `else` branches; keep one."
            yield error("duplicate_else", message, "edges", node=node_id, edge=found[1].id)


def providers(flow: FlowDocument, known: Collection[str]) -> Iterator[Diagnostic]:
    """Whether the providers of the models, and of their fallbacks, are among the known ones."""
    for index, model in enumerate(flow.models):
        refs = [(model.ref, "ref"), *((spare.ref, f"fallback[{i}].ref") for i, spare in enumerate(model.fallback))]
        for ref, key in refs:
            if ref not in known:
                message = (
                    f"The language model `{model.role}` names the provider `{ref[:80]}`, which does not exist. "
                    "Choose one that does, or add it under Providers."
                )
                yield error("unknown_model_provider", message, f"config.core_identity.models[{index}].{key}")


def publishing(flow: FlowDocument) -> Iterator[Diagnostic]:
    """Whether a chat call could enter the flow; asked only of flows that are to be published."""
    if not _entries(flow, "call"):
        message = "A flow is published as a chat model through its `entry_api`; add one, or do not publish the flow."
        yield error("publish_without_entry_api", message, "config.publish_as_model")


CHECKS: Final[tuple[Callable[[FlowDocument], Iterable[Diagnostic]], ...]] = (
    kinds,
    duplicates,
    names,
    characters,
    slug,
    declarations,
    entries,
    edges,
    conditions,
)
