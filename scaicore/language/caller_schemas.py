"""JSON Schemas that callers send for an answer: whoever sends one may also have a say in the answer, so that both are
read with distrust and every check ends in time.

`pattern`, `format` and `uniqueItems` are left to the model: to check them could take for ever.
"""

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import msgspec
from jsonschema.validators import extend  # type: ignore[import-untyped]
from referencing import Registry

from scaicore.errors import SourceUnreadable
from scaicore.jsondata import Json, compact, defect

MAX_SOURCE: Final = 100_000  # characters
MAX_ANSWER: Final = 1_000_000
MAX_STEPS: Final = 50_000  # keywords, each with the length of its list or object
_SHOWN: Final = 200
_UNCHECKED: Final = frozenset(("pattern", "format", "uniqueItems"))
# References that lead elsewhere, or regular expressions that no other keyword can do without.
_REFUSED: Final = frozenset(("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "patternProperties"))
_NAMING: Final = frozenset(("properties", "$defs", "definitions", "dependentSchemas", "dependentRequired"))
_DATA: Final = frozenset(("enum", "const", "default", "examples", "required"))

Keyword = Callable[[Any, Any, Any, Any], Any]


class _TooMuch(Exception):
    """The check took more steps than it may."""


class CallerSchema:
    """A schema, read once; it may repeat itself."""

    def __init__(self, source: dict[str, Any]) -> None:
        if len(compact(source)) > MAX_SOURCE:
            raise SourceUnreadable(f"it has more than {MAX_SOURCE} characters")
        self.source = {key: part for key, part in source.items() if key not in ("$schema", "$id")}
        for schema in _schemas(self.source):
            _must_be_usable(schema, self.source)
        try:
            jsonschema.Draft202012Validator.check_schema(self.source)
        except jsonschema.SchemaError as problem:
            raise SourceUnreadable(f"{problem.message[:_SHOWN]} (at `{problem.json_path}`)") from None
        except RecursionError:
            raise SourceUnreadable("it nests too deeply") from None
        self._left = 0
        self._counting = Lock()  # answers are checked in threads
        known: dict[str, Keyword] = jsonschema.Draft202012Validator.VALIDATORS
        counted = {name: self._counted(check) for name, check in known.items() if name not in _UNCHECKED}
        counting = extend(jsonschema.Draft202012Validator, counted | dict.fromkeys(_UNCHECKED, _unchecked))
        self._validator = counting(self.source, registry=Registry())

    def find_misfit(self, text: str) -> str:
        """What is wrong with an answer, without a word of its own; empty when it fits."""
        if len(text) > MAX_ANSWER:
            return "it is too long"
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return "it is not JSON"
        if wrong := defect(value):
            return f"{wrong[1]} at `{wrong[0]}`"
        with self._counting:
            self._left = MAX_STEPS
            return self._find_misfit(value)

    def _find_misfit(self, value: Json) -> str:
        try:
            problem = next(self._validator.iter_errors(value), None)
        except (_TooMuch, RecursionError):
            return "it cannot be checked in time"
        except (ArithmeticError, ValueError):
            return "a number in it is out of range"
        return "" if problem is None else f"`{problem.json_path[:_SHOWN]}` does not meet `{problem.validator}`"

    def _counted(self, check: Keyword) -> Keyword:
        def keyword(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
            self._left -= 1 + (len(value) if isinstance(value, list | dict) else 0)
            if self._left < 0:
                raise _TooMuch
            return check(validator, value, instance, schema)

        return keyword


def _unchecked(_validator: Any, _value: Any, _instance: Any, _schema: Any) -> Iterator[Any]:
    return iter(())


def _must_be_usable(schema: dict[str, Any], root: dict[str, Any]) -> None:
    if refused := _REFUSED.intersection(schema):
        raise SourceUnreadable(f"`{min(refused)}` cannot be used here")
    ref = schema.get("$ref")
    if isinstance(ref, str) and not _leads_inside(ref, root):
        raise SourceUnreadable(f"`{ref[:80]}` leads nowhere inside of it, and nothing is fetched")


def _leads_inside(ref: str, root: Json) -> bool:
    if ref == "#":
        return True
    if not ref.startswith("#/"):
        return False
    found = root
    for name in ref[2:].split("/"):
        name = name.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    return isinstance(found, dict | bool)


def _schemas(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema and all that stand in it; what is a name or a value there is left out."""
    stack: list[Json] = [root]
    while stack:
        part = stack.pop()
        if isinstance(part, list):
            stack.extend(part)
        elif isinstance(part, dict):
            yield part
            for key, inner in part.items():
                if key in _NAMING and isinstance(inner, dict):
                    stack.extend(inner.values())
                elif key not in _DATA:
                    stack.append(inner)
