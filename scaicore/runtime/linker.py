"""From stored program to something that runs: configs become work, conditions are compiled, edges become indices."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from scaicore.errors import ProgramUnreadable, SourceUnreadable
from scaicore.flow import DEFAULT_PORT, ELSE
from scaicore.jsondata import Json, compact
from scaicore.language.expressions import Expression
from scaicore.nodes import KINDS, entered_by, region_owners
from scaicore.nodes.base import INPUT_NAMES, Plan, Work
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
    """A node ready to run. `arrivals` is the number of edges that lead to it, `region_number` says in which region it
    lies, 0 for none; `inner` are the regions that it runs by itself."""

    id: str
    kind: str
    work: Work
    plan: Plan | None
    waits: bool
    binding: str | None
    timeout_s: float | None
    is_response: bool
    region_number: int = 0
    makes: tuple[str, ...] = ()
    inner: list[InnerRegion] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)  # where edges lead that leave its regions
    arrivals: int = 0
    onward: list[int] = field(default_factory=list)
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
    shape: str  # the same for programs with the same nodes and edges
    made: frozenset[str]  # the names that the flow's own nodes put into the scope
    responders: frozenset[str]


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
    positions = {node.id: position for position, node in enumerate(program.nodes)}
    nodes = tuple(_runtime_node(node, program) for node in program.nodes)
    for edge in program.edges:
        _connect(edge, nodes, positions)
    _enclose(program, nodes, positions)
    for node in nodes:
        # The `else` branch is asked last, wherever it stands in the document.
        node.branches.sort(key=lambda branch: branch.condition is None)
    return Runnable(
        program=program,
        entries=_entries(program, positions),
        nodes=nodes,
        defaults={variable.name: variable.default for variable in program.variables},
        types={variable.name: variable.type for variable in program.variables},
        shape=_shape(program),
        keeps_memory=program.instance_mode != "stateless",
        made=frozenset(name for node in nodes for name in (node.id, node.binding, *node.makes) if name) - INPUT_NAMES,
        responders=frozenset(program.responders),
    )


def _entries(program: Program, positions: dict[str, int]) -> dict[str, int]:
    found = {program.entry, *(node.id for node in program.nodes if entered_by(node.kind))}
    return {node_id: positions[node_id] for node_id in sorted(found)}


def _shape(program: Program) -> str:
    nodes = [(node.id, node.kind) for node in program.nodes]
    edges = [(edge.type, edge.source, edge.source_port, edge.target, edge.target_port) for edge in program.edges]
    return hashlib.sha256(compact([nodes, edges]).encode(errors="replace")).hexdigest()[:32]


def _runtime_node(node: ProgramNode, program: Program) -> RuntimeNode:
    kind = KINDS[node.kind]
    config = msgspec.convert(node.config, kind.config)
    made = kind.prepare(config, program)
    plan = made if isinstance(made, Plan) else None
    return RuntimeNode(
        id=node.id,
        kind=node.kind,
        work=_planned if isinstance(made, Plan) else made,
        plan=plan,
        waits=kind.waits,
        makes=tuple(kind.makes(config)),
        binding=config.result_binding,
        timeout_s=config.timeout_s,
        is_response=RESPONSE in (node.id, config.result_binding),
    )


def _planned(_visit: NodeRun) -> Json:
    """A node with a plan does nothing by itself."""
    return None


def arcs(edges: Sequence[ProgramEdge]) -> list[Arc]:
    """The edges that order a run."""
    return [
        Arc(edge.source, edge.source_port, edge.target, edge.condition is not None)
        for edge in edges
        if edge.type != "data"
    ]


def _enclose(program: Program, nodes: tuple[RuntimeNode, ...], positions: dict[str, int]) -> None:
    """Give each region to the node that runs it, in the document's order."""
    ways = arcs(program.edges)
    found = regions.find(region_owners({node.id: node.kind for node in program.nodes}), ways)
    for node_id, number in regions.innermost(found).items():
        nodes[positions[node_id]].region_number = number
    for number, region in sorted(enumerate(found, 1), key=lambda pair: positions[pair[1].firsts[0]]):
        owner = nodes[positions[region.owner]]
        begins = {positions[first] for first in region.firsts}
        owner.inner.append(
            InnerRegion(number, region.firsts[0], tuple(target for target in owner.onward if target in begins))
        )
        owner.onward = [target for target in owner.onward if target not in begins]
        owner.exits += [
            positions[arc.target] for arc in ways if arc.source in region.nodes and arc.target not in region.nodes
        ]


def _connect(edge: ProgramEdge, nodes: tuple[RuntimeNode, ...], positions: dict[str, int]) -> None:
    source, target = nodes[positions[edge.source]], nodes[positions[edge.target]]
    if edge.type == "data":
        target.feeds.append(Feed(edge.target_port or DEFAULT_PORT, edge.source, edge.source_port))
        return
    target.arrivals += 1
    if edge.type == "sequential":
        source.onward.append(positions[edge.target])
        return
    condition = None if edge.condition == ELSE else Expression(edge.condition or "")
    source.branches.append(Branch(edge.id, positions[edge.target], condition))
