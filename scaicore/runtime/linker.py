"""From stored program to something that runs: configs become work, conditions are compiled, edges become indices."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from scaicore.capabilities import canonical
from scaicore.errors import ProgramUnreadable, SourceUnreadable
from scaicore.flow import DEFAULT_PORT, ELSE
from scaicore.jsondata import Json, compact
from scaicore.language.expressions import Expression
from scaicore.language.names import INPUT_NAMES
from scaicore.nodes import KINDS, entered_by, region_owners
from scaicore.nodes.agents.tools import find_used
from scaicore.nodes.base import Plan, Work
from scaicore.nodes.node_run import NodeRun
from scaicore.program import RESPONSE, Program, ProgramEdge, ProgramNode
from scaicore.runtime import regions
from scaicore.runtime.regions import Arc


@dataclass(frozen=True, slots=True)
class Branch:
    """A conditional edge; without a condition it is the `else` branch."""

    edge_id: str
    target: int
    condition: Expression | None


@dataclass(frozen=True, slots=True)
class Feed:
    """A data edge: which result, or which part of it, goes to which port."""

    port: str
    source: str
    source_port: str | None


@dataclass(frozen=True, slots=True)
class InnerRegion:
    """A region that a node runs: its number, the id of its first node, and an arrival for each edge that leads in."""

    number: int
    name: str
    firsts: tuple[int, ...]


@dataclass(slots=True)
class RuntimeNode:
    """A node ready to run. Other nodes are named by their index in the program, regions by their number."""

    id: str
    kind: str
    work: Work
    plan: Plan | None
    waits: bool
    binding: str | None
    timeout_s: float | None
    is_response: bool
    makes: tuple[str, ...] = ()
    region_number: int = 0  # the innermost region that it lies in; 0 is the flow itself
    inner: list[InnerRegion] = field(default_factory=list)  # the regions that it runs by itself
    exits: list[int] = field(default_factory=list)  # where edges lead that leave its regions
    arrivals: int = 0  # the edges that lead to it and order the run
    targets: list[int] = field(default_factory=list)  # where its unconditional edges lead
    branches: list[Branch] = field(default_factory=list)
    feeds: list[Feed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Runnable:
    """A program with everything compiled; safe to share between runs and to keep as long as its version lives."""

    program: Program
    entries: dict[str, int]  # where runs may begin, by node id
    nodes: tuple[RuntimeNode, ...]
    defaults: dict[str, Json]
    types: dict[str, str]
    keeps_memory: bool
    waits: bool  # whether any node waits for the world outside
    shape: str  # the same for programs with the same nodes and edges
    made: frozenset[str]  # the names that the flow's own nodes put into the scope
    responders: frozenset[str]
    tools: dict[str, RuntimeNode]  # the nodes that models call, by id
    capabilities: frozenset[str]
    answer_schemas: tuple[tuple[str, dict[str, Json]], ...]  # by which nodes write the response, with their ids


def load(stored: object) -> Runnable:
    """Link what `Program.to_dict` gave; ProgramUnreadable when it is anything else. The caller keeps the result by
    Core version id, since a version never changes."""
    return link(Program.from_dict(stored))


def link(program: Program) -> Runnable:
    """Compile a program's templates and conditions, once for all of its runs."""
    try:
        return _link(program)
    except (KeyError, StopIteration, SourceUnreadable, msgspec.ValidationError):
        raise ProgramUnreadable from None


def _link(program: Program) -> Runnable:
    indices = {node.id: index for index, node in enumerate(program.nodes)}
    nodes = tuple(_runtime_node(node, program) for node in program.nodes)
    for edge in program.edges:
        _connect(edge, nodes, indices)
    _enclose(program, nodes, indices)
    for node in nodes:
        # The `else` branch is asked last, wherever it is in the document.
        node.branches.sort(key=lambda branch: branch.condition is None)
    used = find_used((node.kind, node.config) for node in program.nodes)
    made = {name for node in nodes for name in (node.id, node.binding, *node.makes) if name}
    return Runnable(
        program=program,
        entries=_entries(program, indices),
        nodes=nodes,
        defaults={variable.name: variable.default for variable in program.variables},
        types={variable.name: variable.type for variable in program.variables},
        shape=_shape(program),
        waits=any(node.waits for node in nodes),
        keeps_memory=program.instance_mode != "stateless",
        # In a program made before these names were reserved, a node may replace what the caller sent.
        made=frozenset(made) - INPUT_NAMES,
        responders=frozenset(program.responders),
        tools={node.id: node for node in nodes if node.id in used},
        answer_schemas=tuple(
            (node.id, node.config["output_schema"])
            for node in program.nodes
            if node.id in program.writers and node.config.get("output_schema")
        ),
        capabilities=_capabilities(program),
    )


def _capabilities(program: Program) -> frozenset[str]:
    """What the program can do. A version of an earlier server has it in the words of the protocol, and may say
    that it calls tools where no node does."""
    found = frozenset(canonical(program.capabilities))
    return found if any(node.config.get("client_tools") for node in program.nodes) else found - {"tools"}


def _entries(program: Program, indices: dict[str, int]) -> dict[str, int]:
    found = {program.entry, *(node.id for node in program.nodes if entered_by(node.kind))}
    return {node_id: indices[node_id] for node_id in sorted(found)}


def _shape(program: Program) -> str:
    """What a waiting run must find again to go on. Texts and conditions may change meanwhile, nodes and edges not."""
    nodes = [(node.id, node.kind) for node in program.nodes]
    edges = [(edge.type, edge.source, edge.source_port, edge.target, edge.target_port) for edge in program.edges]
    return hashlib.sha256(compact([nodes, edges]).encode(errors="replace")).hexdigest()[:32]


def _runtime_node(node: ProgramNode, program: Program) -> RuntimeNode:
    kind = KINDS[node.kind]
    config = msgspec.convert(node.config, kind.config)
    prepared = kind.prepare(config, program)
    plan = prepared if isinstance(prepared, Plan) else None
    return RuntimeNode(
        id=node.id,
        kind=node.kind,
        work=_no_work if isinstance(prepared, Plan) else prepared,
        plan=plan,
        waits=kind.waits,
        makes=tuple(kind.makes(config)),
        binding=config.result_binding,
        timeout_s=config.timeout_s,
        is_response=RESPONSE in (node.id, config.result_binding),
    )


def _no_work(_node_run: NodeRun) -> Json:
    """A node with a plan does nothing by itself: the engine carries out the plan."""
    return None


def arcs(edges: Sequence[ProgramEdge]) -> list[Arc]:
    """The edges that order a run."""
    return [
        Arc(edge.source, edge.source_port, edge.target, edge.condition is not None)
        for edge in edges
        if edge.type != "data"
    ]


def _connect(edge: ProgramEdge, nodes: tuple[RuntimeNode, ...], indices: dict[str, int]) -> None:
    source, target = nodes[indices[edge.source]], nodes[indices[edge.target]]
    if edge.type == "data":
        target.feeds.append(Feed(edge.target_port or DEFAULT_PORT, edge.source, edge.source_port))
        return
    target.arrivals += 1
    if edge.type == "sequential":
        source.targets.append(indices[edge.target])
        return
    condition = None if edge.condition == ELSE else Expression(edge.condition or "")
    source.branches.append(Branch(edge.id, indices[edge.target], condition))


def _enclose(program: Program, nodes: tuple[RuntimeNode, ...], indices: dict[str, int]) -> None:
    """Give each region to the node that runs it, in the document's order."""
    ordering = arcs(program.edges)
    found = regions.find(region_owners({node.id: node.kind for node in program.nodes}), ordering)
    for node_id, number in regions.innermost(found).items():
        nodes[indices[node_id]].region_number = number
    for number, region in sorted(enumerate(found, 1), key=lambda pair: indices[pair[1].firsts[0]]):
        owner = nodes[indices[region.owner]]
        firsts = {indices[first] for first in region.firsts}
        # The edges into a region are followed when it begins, not when its owner has finished.
        inward = tuple(target for target in owner.targets if target in firsts)
        owner.inner.append(InnerRegion(number, region.firsts[0], inward))
        owner.targets = [target for target in owner.targets if target not in firsts]
        owner.exits += [
            indices[arc.target] for arc in ordering if arc.source in region.nodes and arc.target not in region.nodes
        ]
