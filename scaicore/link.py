"""From stored program to something that runs: configs become work, conditions are compiled, edges become indices."""

from dataclasses import dataclass, field

import msgspec

from scaicore.errors import ProgramUnreadable, SourceUnreadable
from scaicore.expressions import Expression
from scaicore.flow import DEFAULT_PORT, ELSE
from scaicore.jsondata import Json
from scaicore.nodes import KINDS
from scaicore.nodes.base import INPUT_NAMES, Work
from scaicore.program import Link, Program, Step


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


@dataclass(slots=True)
class Stage:
    """A node ready to run. `arrivals` is the number of edges that lead to it."""

    id: str
    kind: str
    work: Work
    waits: bool
    binding: str | None
    timeout_s: float | None
    arrivals: int = 0
    onward: list[int] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    feeds: list[Feed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Runnable:
    """A program with everything compiled; safe to share between runs and to keep as long as its version lives."""

    program: Program
    entry: int
    stages: tuple[Stage, ...]
    defaults: dict[str, Json]
    types: dict[str, str]
    keeps_memory: bool
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
    positions = {step.id: position for position, step in enumerate(program.nodes)}
    stages = tuple(_stage(step, program) for step in program.nodes)
    for edge in program.edges:
        _connect(edge, stages, positions)
    for stage in stages:
        # The `else` branch is asked last, wherever it stands in the document.
        stage.branches.sort(key=lambda branch: branch.condition is None)
    return Runnable(
        program=program,
        entry=positions[program.entry],
        stages=stages,
        defaults={slot.name: slot.default for slot in program.variables},
        types={slot.name: slot.type for slot in program.variables},
        keeps_memory=program.instance_mode != "stateless",
        made=frozenset(name for stage in stages for name in (stage.id, stage.binding) if name) - INPUT_NAMES,
        responders=frozenset(program.responders),
    )


def _stage(step: Step, program: Program) -> Stage:
    kind = KINDS[step.kind]
    config = msgspec.convert(step.config, kind.config)
    return Stage(
        id=step.id,
        kind=step.kind,
        work=kind.prepare(config, program),
        waits=kind.waits,
        binding=config.result_binding,
        timeout_s=config.timeout_s,
    )


def _connect(edge: Link, stages: tuple[Stage, ...], positions: dict[str, int]) -> None:
    source, target = stages[positions[edge.source]], stages[positions[edge.target]]
    if edge.type == "data":
        target.feeds.append(Feed(edge.target_port or DEFAULT_PORT, edge.source, edge.source_port))
        return
    target.arrivals += 1
    if edge.type == "sequential":
        source.onward.append(positions[edge.target])
        return
    condition = None if edge.condition == ELSE else Expression(edge.condition or "")
    source.branches.append(Branch(edge.id, positions[edge.target], condition))
