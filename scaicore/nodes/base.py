"""What a node kind is: its config, its checks, and how a config becomes something that runs."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec

from scaicore.diagnostics import Diagnostic
from scaicore.flow import DEFAULT_PORT, EdgeType
from scaicore.jsondata import Json
from scaicore.language.expressions import Expression
from scaicore.language.templates import Template
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program

Category = Literal["entry", "llm", "logic", "data", "tool", "human", "queue", "compute", "flow"]
EnteredBy = Literal["call", "webhook", "schedule"]
SYSTEM_NAMES: Final = frozenset({"state", "entity_id"})  # names that nothing may replace, not even for one node
DECISION: Final = "decision"  # the name of the answer to a question in the scope


def field(
    title: str, description: str, example: Any, language: Literal["template", "path", "expression"] | None = None
) -> msgspec.Meta:
    """How people read of a setting: its label, one sentence of help, and an example, a value that it could have. The
    editor, the REST API and docs/flows.md show these. `language`: what its texts are written in, where they read names
    of the run."""
    extra = {} if language is None else {"language": language}
    return msgspec.Meta(title=title, description=description, examples=[example], extra_json_schema=extra)


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every node may set. `result_binding` is a further name for its result; `timeout_s` is in seconds."""

    result_binding: Annotated[
        str | None, field("Result binding", "A further name for the result, beside the node's id.", "answer")
    ] = None
    timeout_s: Annotated[
        float | None, field("Time limit (seconds)", "The node fails when its work takes longer.", 20)
    ] = None


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """Runs a body for each of `items`, or as long as `condition` holds and `limit` allows."""

    items: Callable[[NodeRun], list[Json]] | None
    condition: Expression | None
    limit: int
    item_name: str
    index_name: str


@dataclass(frozen=True, slots=True)
class ParallelPlan:
    """Runs branches at once, at most `limit` of them at a time."""

    limit: int | None


@dataclass(frozen=True, slots=True)
class CheckpointPlan:
    """Waits for somebody's decision: any text, or one of `options`. After `timeout_s` it is `on_timeout`; without that,
    the flow starts from the beginning."""

    prompt: Template
    options: tuple[str, ...]
    timeout_s: float | None
    on_timeout: str | None

    def match(self, text: str) -> str | None:
        """The decision that a text means; None when it is none of the options."""
        given = text.strip().casefold()
        return (
            next((option for option in self.options if option.strip().casefold() == given), None)
            if self.options
            else text
        )


@dataclass(frozen=True, slots=True)
class LoopBody:
    """The region of a node that runs it again and again: all that its port `port` leads to, each time in a scope of its
    own. What is behind its port `done` begins after the last time."""

    port: str
    done: str


@dataclass(frozen=True, slots=True)
class Branches:
    """The regions of a node that runs each of them once, all at the same time: what each of its targets alone leads to.
    What is behind its port `done` begins after the last of them."""

    done: str


Work = Callable[[NodeRun], Json | Awaitable[Json]]
Plan = LoopPlan | ParallelPlan | CheckpointPlan
Regions = LoopBody | Branches


def no_checks(_config: Any, _check: NodeCheck) -> Iterator[Diagnostic]:
    """For kinds whose config cannot be wrong in any further way."""
    return iter(())


def no_names(_config: Any) -> Iterable[str]:
    """For kinds that put nothing into the scope but their result."""
    return ()


@dataclass(frozen=True, slots=True)
class NodeKind:
    """A kind of node that runs here, with everything that the compiler, the engine and the editors ask about it.

    `prepare` turns a config into its work, or into a plan that the engine carries out, once per program; `check` finds
    what is wrong with a config in its flow; `makes` names what it puts into the scope besides its result.
    """

    kind: str
    label: str
    category: Category
    summary: str
    config: type[NodeConfig]
    # The config's own type is known to the kind alone, hence Any.
    prepare: Callable[[Any, Program], Work | Plan]
    check: Callable[[Any, NodeCheck], Iterator[Diagnostic]] = no_checks
    makes: Callable[[Any], Iterable[str]] = no_names
    waits: bool = False  # its work is a coroutine, which runs in a task of its own
    replies: bool = False  # its result is a language model's answer
    asks: bool = False  # it ends the turn with a question, so only the memory of an entity can take up the answer
    entered_by: EnteredBy | None = None  # what starts a run here
    regions: Regions | None = None  # the parts of the flow that it runs by itself; its plan says how often
    outputs: tuple[str, ...] = ("out",)  # the ports of a new node of this kind
    edge_type: EdgeType = "sequential"  # the type of a new edge out of it

    @property
    def inputs(self) -> tuple[str, ...]:
        """The ports into a new node of this kind; none lead into an entry."""
        return () if self.entered_by else (DEFAULT_PORT,)
