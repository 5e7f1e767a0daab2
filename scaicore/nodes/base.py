"""What a node kind is: its config, its checks, and how a config becomes something that runs."""

import math
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from scaicore import diagnostics
from scaicore.diagnostics import Diagnostic
from scaicore.errors import RunTimedOut, SourceUnreadable
from scaicore.flow import Edge, FlowDocument, Node
from scaicore.jsondata import Json
from scaicore.language.expressions import Expression, verify
from scaicore.language.templates import Template
from scaicore.program import Program
from scaicore.services import Services

Category = Literal["entry", "llm", "logic", "data", "tool", "human", "queue", "compute", "flow"]
RESERVED: Final = frozenset({"state", "entity_id"})
NO_SERVICES: Final = Services()
INPUT_NAMES: Final = frozenset({"message", "messages", "params", "entity_id", "state"})


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every node may set. `result_binding` is a further name for its result; `timeout_s` is in seconds."""

    result_binding: str | None = None
    timeout_s: float | None = None


@dataclass(slots=True)
class NodeRun:
    """One node at work: the scope it reads, the memory it may set, and what it has to say besides its result."""

    scope: dict[str, Json]
    state: dict[str, Json]
    input: dict[str, Json]
    services: Services = NO_SERVICES
    started_at: float = 0.0  # by the monotonic clock
    until: float = math.inf  # when it must have ended, by the same clock
    frame: Any = None  # the engine's own; nodes leave it alone
    warnings: list[str] = field(default_factory=list)
    emit_text: Callable[[str], Awaitable[None]] | None = None
    has_streamed: bool = False
    finish_reason: str = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def remaining(self) -> float:
        """Seconds that a call of the outside may take; RunTimedOut when there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise RunTimedOut
        return left

    async def stream_text(self, text: str) -> None:
        """Send text of the response while it is still being written; nothing happens at a node that does not respond.
        Waits while the caller reads more slowly than the node writes."""
        if text and self.emit_text is not None:
            self.has_streamed = True
            await self.emit_text(text)

    def spend(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Add the tokens that a model reported."""
        self.prompt_tokens = (self.prompt_tokens or 0) + prompt_tokens
        self.completion_tokens = (self.completion_tokens or 0) + completion_tokens

    def fill(self, template: Template) -> str:
        """The template's text from the scope; an empty placeholder becomes a warning."""
        missing: list[str] = []
        text = template.fill(self.scope, missing)
        if missing:
            self.miss(missing)
        return text

    def miss(self, paths: Iterable[str]) -> None:
        """Tell the owner of placeholders that stayed empty."""
        self.warnings.extend(f"`{{{{{path}}}}}` is empty: nothing has that name." for path in paths)


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
    the flow starts anew."""

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


Work = Callable[[NodeRun], Json | Awaitable[Json]]
Plan = LoopPlan | ParallelPlan | CheckpointPlan


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """A node in its flow, for the checks of its kind."""

    flow: FlowDocument
    node: Node
    index: int
    outgoing: list[Edge]
    names: frozenset[str]  # what a scope of this flow may hold
    ports: frozenset[str]  # what data edges bring to this node
    variables: dict[str, str]  # name → type

    def error(self, code: str, message: str, key: str = "") -> Diagnostic:
        return diagnostics.error(code, f"Node `{self.node.id}`: {message}", self._path(key), node=self.node.id)

    def warning(self, code: str, message: str, key: str = "") -> Diagnostic:
        return diagnostics.warning(code, f"Node `{self.node.id}`: {message}", self._path(key), node=self.node.id)

    def template(self, source: str, key: str) -> Iterator[Diagnostic]:
        """Whether the template can be read, and whether its names exist."""
        try:
            paths = Template(source).paths
        except SourceUnreadable as problem:
            yield self.error("bad_template", f"the template cannot be read. {problem}", key)
            return
        for path in dict.fromkeys(path[:2] for path in paths):
            yield from self._check_name(path, key)

    def expression(self, source: str, key: str, known: Collection[str] = ()) -> Iterator[Diagnostic]:
        """Whether the expression can be read, and whether its names exist; `known` are names of this place alone."""
        try:
            verify(source)
            roots = Expression(source).roots
        except SourceUnreadable as problem:
            yield self.error("bad_expression", f"the expression cannot be read: {problem}", key)
            return
        yield from self.roots(tuple(root for root in roots if root not in known), key)

    def condition(self, source: str, key: str, known: Collection[str] = ()) -> Iterator[Diagnostic]:
        """The same for an expression that must be true or false."""
        findings = list(self.expression(source, key, known))
        yield from findings
        if not diagnostics.has_errors(findings) and not verify(source):
            message = "the condition is never true or false; compare it with a value."
            yield self.error("bad_condition", message, key)

    def path(self, path: str, key: str) -> Iterator[Diagnostic]:
        """Whether a binding's path, such as `state.name`, can be read, and whether its names exist."""
        yield from self.template(f"{{{{{path}}}}}", key)

    def roots(self, roots: tuple[str, ...], key: str) -> Iterator[Diagnostic]:
        """Whether the names that an expression reads exist."""
        for root in roots:
            yield from self._check_name((root,), key)

    def _check_name(self, path: tuple[str, ...], key: str) -> Iterator[Diagnostic]:
        if path[0] == "state" and len(path) > 1 and path[1] not in self.variables:
            message = f"`state.{path[1]}` is read but not declared; add it to the flow's variables."
            yield self.warning("undeclared_variable", message, key)
        elif path[0] not in self.names and path[0] not in self.ports:
            message = f"nothing in this flow makes `{path[0]}`; it is empty unless the caller sends it."
            yield self.warning("unknown_name", message, key)

    def _path(self, key: str) -> str:
        return f"nodes[{self.index}].config.{key}" if key else f"nodes[{self.index}]"


def no_checks(_config: Any, _check: NodeCheck) -> Iterator[Diagnostic]:
    """For kinds whose config cannot be wrong in any further way."""
    return iter(())


def no_names(_config: Any) -> Iterable[str]:
    """For kinds that put nothing into the scope but their result."""
    return ()


@dataclass(frozen=True, slots=True)
class NodeKind:
    """A kind of node that runs here. `prepare` turns a config into its work, or into a plan that the engine carries
    out, once per program; `check` says what is wrong with a config in its flow; `makes` names what it puts into the
    scope besides its result. Work of a kind with `waits` is a coroutine and runs in a task of its own."""

    kind: str
    label: str
    category: Category
    summary: str
    config: type[NodeConfig]
    # The config's own type is known by the table's row alone, hence Any.
    prepare: Callable[[Any, Program], Work | Plan]
    check: Callable[[Any, NodeCheck], Iterator[Diagnostic]] = no_checks
    makes: Callable[[Any], Iterable[str]] = no_names
    waits: bool = False
