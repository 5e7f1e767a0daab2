"""The checks that node kinds share: whether templates and expressions can be read, and whether their names exist."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import msgspec

from scaicore import diagnostics
from scaicore.diagnostics import Diagnostic
from scaicore.errors import SourceUnreadable
from scaicore.flow import Edge, FlowDocument, Node
from scaicore.language.expressions import Expression, find_mismatch, verify
from scaicore.language.names import INPUT_NAMES
from scaicore.language.templates import Template


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """A node in its flow, for the checks of its kind."""

    flow: FlowDocument
    node: Node
    index: int
    outgoing: list[Edge]
    names: frozenset[str]  # what a scope of this flow may hold
    made: frozenset[str]  # of these, what nodes put there
    ports: frozenset[str]  # the names that data edges give to this node
    variables: dict[str, str]  # name → type
    gap: Callable[..., str | None]  # why a name's value is not there yet, as a sentence; None when it is

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
            yield from self._check_name(path, key, is_text=True)

    def expression(self, source: str, key: str, known: Collection[str] = ()) -> Iterator[Diagnostic]:
        """Whether the expression can be read, and whether its names exist; `known` are names that exist only here."""
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
        # Only an expression that can be read has a type.
        if not diagnostics.has_errors(findings) and (problem := self.find_unfit(source)):
            yield msgspec.structs.replace(
                problem, message=f"Node `{self.node.id}`: the condition {problem.message}", path=self._path(key)
            )

    def find_unfit(self, source: str) -> Diagnostic | None:
        """What is wrong with the type of a condition, after its subject; SourceUnreadable for what is no expression."""
        if not verify(source) or self._is_never_boolean(source.strip()):
            message = "is never true or false; compare it with a value."
            return diagnostics.error("bad_condition", message, node=self.node.id)
        if complaint := find_mismatch(source):
            message = f"compares what never is equal, or asks for what is not there: {complaint}"
            return diagnostics.warning("unfit_condition", message, node=self.node.id)
        return None

    def _is_never_boolean(self, name: str) -> bool:
        """Whether it is no more than a name, of something that is neither true nor false."""
        declared = self.variables.get(name.removeprefix("state.")) if name.startswith("state.") else None
        return name in INPUT_NAMES or declared not in (None, "any", "boolean")

    def path(self, path: str, key: str) -> Iterator[Diagnostic]:
        """Whether a binding's path, such as `state.name`, can be read, and whether its names exist."""
        yield from self.template(f"{{{{{path}}}}}", key)

    def roots(self, roots: tuple[str, ...], key: str, *, is_behind: bool = False) -> Iterator[Diagnostic]:
        """Whether the names that an expression reads exist; `is_behind`: it is read when this node has run."""
        for root in roots:
            yield from self._check_name((root,), key, is_behind=is_behind)

    def _check_name(
        self, path: tuple[str, ...], key: str, *, is_behind: bool = False, is_text: bool = False
    ) -> Iterator[Diagnostic]:
        if path[0] == "state" and len(path) > 1 and path[1] not in self.variables:
            message = f"`state.{path[1]}` is read but not declared; add it to the flow's variables."
            # An expression may ask whether it is there; a text that names it can only lose it.
            yield (self.error if is_text else self.warning)("undeclared_variable", message, key)
        elif path[0] not in self.names and path[0] not in self.ports:
            message = f"nothing in this flow produces `{path[0]}`; it is empty unless the caller sends it."
            if is_text:
                message += " For the two braces themselves write `\\{{`."
            yield self.warning("unknown_name", message, key)
        elif path[0] not in INPUT_NAMES | self.ports and (gap := self.gap(path[0], is_behind=is_behind)):
            yield self.warning("result_not_there", gap, key)

    def _path(self, key: str) -> str:
        return f"nodes[{self.index}].config.{key}" if key else f"nodes[{self.index}]"
