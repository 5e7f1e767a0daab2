"""The compiler: a flow document becomes a program, or a list of findings that say what to do."""

from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from scaicore import expectations
from scaicore.compiler import capabilities, checks, graph, node_checks, reachability, streaming, tools
from scaicore.compiler.node_checks import Configs
from scaicore.compiler.precedence import Precedence
from scaicore.compiler.tools import Plugins
from scaicore.diagnostics import Diagnostic, has_errors
from scaicore.flow import Edge, FlowDocument, Node, VariableDeclaration, read, shape_error
from scaicore.language import variables
from scaicore.nodes import KINDS
from scaicore.nodes.agents.tools import used_in
from scaicore.nodes.base import NodeConfig
from scaicore.program import Program, ProgramEdge, ProgramNode, ProgramVariable, PublishSettings

_NO_PROVIDERS: Final[tuple[str, ...]] = ()
_NO_PLUGINS: Final[Plugins] = {}
# By the list that a row belongs to: what is found where the row is missing.
_ECHOES: Final = {
    "config.core_identity.models": ("undeclared_model_role",),
    "variables": ("undeclared_variable", "memory_without_variables"),
}
# With one of these findings it is not clear what runs before what.
_DISORDER: Final = frozenset({"dangling_edge", "duplicate_id", "too_large", "cycle", "loop_leak"})


class Compilation(msgspec.Struct, frozen=True):
    """What a compile gave; `program` is None exactly when one of the diagnostics is an error."""

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]


def compile(
    document: object,
    *,
    providers: Collection[str] = _NO_PROVIDERS,
    plugins: Plugins = _NO_PLUGINS,
    publishable: bool | None = None,
) -> Compilation:
    """Compile a v2 document; never raises, whatever the document is.

    `providers` are the model providers that exist for the flow's tenant, `plugins` its MCP servers with the input
    schemas of their tools; `publishable` says whether the flow is about
    to be published, by default as its own `publish_as_model` says.
    """
    flow, findings = read(document)
    # Where nodes or edges cannot be read there is nothing to check further: the shapes have to be corrected first.
    if flow is None:
        return Compilation(None, tuple(findings))
    configs = _configs(flow, findings)
    findings += _findings(flow, configs, providers) + list(tools.check_plugins(flow, configs, plugins))
    if publishable or (publishable is None and flow.publish_as_model):
        findings += checks.publishing(flow)
    if has_errors(findings):
        return Compilation(None, tuple(_without_echoes(findings)))
    program = _build(flow, configs)
    findings += capabilities.check(program, flow)
    return Compilation(None if has_errors(findings) else capabilities.complete(program), tuple(findings))


def _without_echoes(findings: list[Diagnostic]) -> Iterator[Diagnostic]:
    """The findings but those which say only that a row is not there which could not be read."""
    unread = [finding.path for finding in findings if finding.code == "invalid_shape"]
    echoes = {code for start, codes in _ECHOES.items() for code in codes if any(p.startswith(start) for p in unread)}
    return (finding for finding in findings if finding.code not in echoes)


def _configs(flow: FlowDocument, findings: list[Diagnostic]) -> Configs:
    """The config of each node whose kind runs here, by the node's index in the document."""
    configs: dict[int, NodeConfig] = {}
    for index, node in enumerate(flow.nodes):
        if node.type in KINDS:
            try:
                configs[index] = msgspec.convert(node.config or {}, KINDS[node.type].config)
            except msgspec.ValidationError as problem:
                findings.append(shape_error(problem, f"nodes[{index}].config", node=node.id))
    return configs


def _findings(flow: FlowDocument, configs: Configs, providers: Collection[str]) -> list[Diagnostic]:
    findings = [finding for check in checks.CHECKS for finding in check(flow)]
    findings += checks.providers(flow, providers)
    # With loose ends or ids that are not unique, the graph is another one than the author meant.
    if not any(finding.code in ("dangling_edge", "duplicate_id") for finding in findings):
        findings += reachability.check(flow)
    precedence = None
    if not any(finding.code in _DISORDER for finding in findings):
        precedence = Precedence(flow, *reachability.find_order(flow))
    findings += node_checks.check(flow, configs, precedence)
    findings += expectations.check(flow.tests)
    return findings


def _build(flow: FlowDocument, configs: Configs) -> Program:
    """The program of a flow without errors: what its entries reach, and nothing else."""
    # What nothing leads to would never run, and could only make the program larger and its checks slower.
    edges = reachability.forward(flow)
    reached = reachability.reached(flow, graph.successors(edges))
    nodes = tuple(_program_node(node, configs[index]) for index, node in enumerate(flow.nodes) if node.id in reached)
    used = used_in(flow)
    steps = [node for node in nodes if node.id not in used]  # a tool is no step of a run: it runs inside one
    edges = [edge for edge in edges if edge.source.node in reached and edge.target.node in reached]
    program_edges = tuple(_program_edge(edge, index) for index, edge in enumerate(edges))
    return Program(
        name=flow.name,
        version=flow.version,
        description=flow.description,
        entry=reachability.find_entry(flow) or "",
        nodes=nodes,
        edges=program_edges,
        variables=tuple(_program_variable(variable) for variable in flow.variables),
        models=tuple(flow.models),
        instance_mode=flow.instance_mode,
        entity_scope=flow.entity_scope,
        recognises_hidden_prompts=flow.recognises_hidden_prompts,
        publish=PublishSettings(flow.publish_as_model, tuple(flow.group_ids)),
        capabilities=tuple(flow.capabilities),
        writers=streaming.find_writers(steps, program_edges),
        responders=streaming.find_responders(steps, program_edges),
        tracing=flow.tracing,
    )


def _program_node(node: Node, config: NodeConfig) -> ProgramNode:
    return ProgramNode(node.id, node.type, node.label or "", msgspec.to_builtins(config))


def _program_edge(edge: Edge, index: int) -> ProgramEdge:
    condition = (edge.condition or "").strip() if edge.type == "conditional" else None
    return ProgramEdge(
        id=edge.id or f"edge-{index + 1}",  # a decision's result is the id of the edge that it took
        type=edge.type,
        source=edge.source.node,
        target=edge.target.node,
        source_port=edge.source.port,
        target_port=edge.target.port,
        condition=condition,
    )


def _program_variable(variable: VariableDeclaration) -> ProgramVariable:
    default = variable.default if variable.has_default else variables.initial(variable.type)
    return ProgramVariable(variable.name, variable.type, default)
