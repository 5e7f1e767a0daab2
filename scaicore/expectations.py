"""Tests of a flow, as its document holds them under `tests`: what is asked, and what the answer must be like."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec

from scaicore.diagnostics import Diagnostic, warning
from scaicore.errors import RunFailed, SourceUnreadable
from scaicore.flow import shape_error
from scaicore.jsondata import Json
from scaicore.language import expressions
from scaicore.language.caller_schemas import CallerSchema
from scaicore.language.expressions import Expression
from scaicore.language.names import shown

SCOPE: Final = ("response", "output")


class Expectations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold of an answer, all of it. `equals` is the whole response, `contains` parts of its text, `matches` a
    regular expression (RE2) that is found in it, `cel` a condition over `output` and `response`, and `schema` a JSON
    Schema of the response or, where that is text, of the JSON in it."""

    equals: Any = msgspec.UNSET
    contains: str | list[str] = []
    matches: str | None = None
    cel: str | None = None
    schema: dict[str, Any] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether any answer would do."""
        return not (self.has_equals or self.contains or self.matches or self.cel or self.schema is not None)

    @property
    def has_equals(self) -> bool:
        """Whether the whole response is given."""
        return self.equals is not msgspec.UNSET

    @property
    def parts(self) -> list[str]:
        """What the text must contain."""
        return [self.contains] if isinstance(self.contains, str) else self.contains


class FlowTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test: a `message` after the `messages` that were said before, or a whole `input`, what the answer is expected
    to be, and the memory (`state`) that the run begins with."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    expect: Expectations
    message: str | None = None
    messages: list[dict[str, Any]] = []
    input: dict[str, Any] | None = None
    entity_id: str | None = None
    params: dict[str, Any] = {}
    state: dict[str, Any] = {}

    @property
    def call(self) -> dict[str, Any]:
        """What is asked, in the words of a draft's run: fields that say nothing are left out."""
        asked = {name: getattr(self, name) for name in ("message", "messages", "input", "entity_id", "params", "state")}
        return {name: value for name, value in asked.items() if value is not None}


class UnmetExpectation(msgspec.Struct, frozen=True):
    """An expectation that does not hold: its name, and why not in a sentence."""

    expectation: str
    message: str


def read_test(entry: Json, path: str) -> FlowTest | Diagnostic:
    """The test that an entry of `tests` describes, or what keeps it from being one: a warning, since other tools may
    keep tests of their own there."""
    what = _call(entry, path)
    try:
        test = msgspec.convert(entry, FlowTest)
    except msgspec.ValidationError as problem:
        return _unusable(what, shape_error(problem, path).message, path)
    if (test.message is None) == (test.input is None):
        return _unusable(what, "it needs a message, or an input in its place", path)
    if test.expect.is_empty:
        return _unusable(what, "it expects nothing; say what the answer must be like", f"{path}.expect")
    for name, check in _CHECKS.items():
        if (given := getattr(test.expect, name)) is not None:
            try:
                check(given)
            except SourceUnreadable as problem:
                return _unusable(what, str(problem), f"{path}.expect.{name}")
    return test


def check(entries: list[Any]) -> Iterator[Diagnostic]:
    """What keeps tests of a document from being run."""
    read = (read_test(entry, f"tests[{index}]") for index, entry in enumerate(entries))
    return (found for found in read if isinstance(found, Diagnostic))


def find_unmet(expect: Expectations, output: Mapping[str, Json], text: str) -> list[UnmetExpectation]:
    """The expectations that the `output` of a run does not meet; `text` is its response as text."""
    return list(_unmet(expect, output, text))


def _unmet(expect: Expectations, output: Mapping[str, Json], text: str) -> Iterator[UnmetExpectation]:
    response = output["response"]
    if expect.has_equals and expect.equals != (text if isinstance(expect.equals, str) else response):
        yield UnmetExpectation("equals", "The answer is another.")
    for part in expect.parts:
        if part not in text:
            yield UnmetExpectation("contains", f"The answer does not contain “{part}”.")
    if expect.matches and (why := _find_obstacle(_matching(expect.matches), output, text)):
        yield UnmetExpectation("matches", f"The answer does not match {expect.matches}{why}")
    if expect.cel and (why := _find_obstacle(expect.cel, output, text)):
        yield UnmetExpectation("cel", f"The condition {expect.cel} does not hold{why}")
    if expect.schema is not None and (misfit := CallerSchema(expect.schema).find_misfit(text)):
        yield UnmetExpectation("schema", f"The answer does not fit the schema: {misfit}.")


def _find_obstacle(source: str, output: Mapping[str, Json], text: str) -> str:
    """Why the condition does not hold, as the end of a sentence; empty when it does."""
    try:
        return "" if Expression(source).holds({"output": dict(output), "response": text}) else "."
    except RunFailed as error:
        return f": {error.detail}"


def _matching(pattern: str) -> str:
    # Through CEL, whose regular expressions take time in proportion to the text. JSON's escapes are CEL's as well.
    return f"response.matches({json.dumps(pattern)})"


def _check_pattern(pattern: str) -> None:
    expressions.verify(_matching(pattern))
    try:
        Expression(_matching(pattern)).holds({"response": ""})
    except RunFailed:
        raise SourceUnreadable(f"`{pattern[:80]}` is not a regular expression (RE2)") from None


def _check_condition(source: str) -> None:
    if not expressions.verify(source):
        raise SourceUnreadable("it is neither true nor false; compare it with a value")
    if unknown := set(Expression(source).roots) - set(SCOPE):
        raise SourceUnreadable(f"`{min(unknown)}` is not there; a test reads `output` and `response`")


_CHECKS: Final[dict[str, Callable[[Any], object]]] = {
    "matches": _check_pattern,
    "cel": _check_condition,
    "schema": CallerSchema,
}


def _call(entry: Json, path: str) -> str:
    """What people call the test."""
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"The test `{shown(name)}`" if isinstance(name, str) and name else f"The test at `{path}`"


def _unusable(what: str, why: str, path: str) -> Diagnostic:
    return warning("test_unusable", f"{what} cannot be run: {why.rstrip('.')}.", path)
