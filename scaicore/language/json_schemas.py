"""JSON Schemas of flows for the answers of models: checked with distrust at compile, then applied to each answer."""

from collections.abc import Iterator
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import msgspec
from referencing import Registry

from scaicore.errors import SourceUnreadable
from scaicore.jsondata import Json, compact, defect
from scaicore.language import json_texts

MAX_SOURCE: Final = 64_000
MAX_ANSWER: Final = 500_000  # characters
_MAX_PARTS: Final = 2_000
_LOCAL: Final = "#/$defs/"
_SHOWN: Final = 300

# What could keep the process busy for hours on a short text, or fetch something: regular expressions that backtrack,
# quadratic comparisons, references that leave the schema.
_REFUSED: Final = frozenset(
    (
        "pattern",
        "patternProperties",
        "uniqueItems",
        "$dynamicRef",
        "$dynamicAnchor",
        "$recursiveRef",
        "$anchor",
        "$id",
        "$schema",
    )
)
_NAMING: Final = frozenset(("properties", "$defs", "dependentSchemas", "dependentRequired"))
_DATA: Final = frozenset(("enum", "const", "default", "examples"))


class AnswerSchema:
    """A schema, read once."""

    def __init__(self, source: dict[str, Any]) -> None:
        if len(compact(source)) > MAX_SOURCE:
            raise SourceUnreadable(f"A schema has at most {MAX_SOURCE} characters.")
        source = {key: part for key, part in source.items() if key != "$schema"}
        try:
            jsonschema.Draft202012Validator.check_schema(source)
            _unfold(source, source, {}, ())
        except jsonschema.SchemaError as problem:
            raise SourceUnreadable(f"{problem.message[:_SHOWN]} (at `{problem.json_path}`)") from None
        except RecursionError:
            raise SourceUnreadable("It nests too deeply.") from None
        self.source = source
        # An empty registry: a reference that leaves the schema leads nowhere, and fetches nothing.
        self._validator = jsonschema.Draft202012Validator(source, registry=Registry())

    def read(self, text: str) -> tuple[Json, str]:
        """`(value, "")` of a model's answer, or `(None, what is wrong with it)` in words for the model.

        Thinking, a code fence and prose around the value are passed over.
        """
        if len(text) > MAX_ANSWER:
            return None, "it is too long"
        read = [self._read(each) for each in json_texts.find(text)]
        fitting = [value for value, wrong in read if not wrong]
        if len(fitting) > 1 and any(value != fitting[0] for value in fitting):
            return None, "it holds several JSON values that fit"
        if fitting:
            return fitting[0], ""
        return read[0] if read else (None, "it is not JSON")

    def _read(self, text: str) -> tuple[Json, str]:
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None, "it is not JSON"
        if wrong := defect(value):
            return None, f"{wrong[1]} at `{wrong[0]}`"
        try:
            problem = next(self._validator.iter_errors(value), None)
        except (ArithmeticError, ValueError, RecursionError):
            return None, "a number in it is out of range"
        return (value, "") if problem is None else (None, f"{problem.message[:_SHOWN]} (at `{problem.json_path}`)")


def _unfold(schema: Json, root: dict[str, Any], sizes: dict[str, int], open_refs: tuple[str, ...]) -> int:
    """How many schemas this one consists of, each reference counted with all that it leads to. SourceUnreadable for
    what a schema may not use, and for one that unfolds into too much work."""
    if not isinstance(schema, dict):
        return 1
    if refused := _REFUSED.intersection(schema):
        raise SourceUnreadable(f"`{min(refused)}` cannot be used here.")
    # Counted as the validator meets it: ten references to ten references each are a hundred schemas.
    total = 1
    for part in _parts(schema):
        total += _unfold(part, root, sizes, open_refs)
    if (ref := schema.get("$ref")) is not None:
        total += _referred(ref, root, sizes, open_refs)
    if total > _MAX_PARTS:
        raise SourceUnreadable(f"It unfolds into more than {_MAX_PARTS} parts.")
    return total


def _referred(ref: str, root: dict[str, Any], sizes: dict[str, int], open_refs: tuple[str, ...]) -> int:
    target = root.get("$defs", {}).get(ref.removeprefix(_LOCAL)) if ref.startswith(_LOCAL) else None
    if target is None:
        raise SourceUnreadable(f"`{ref[:80]}` leads nowhere; a `$ref` begins with `{_LOCAL}`.")
    if ref in open_refs:
        raise SourceUnreadable(f"`{ref[:80]}` leads back to itself; a schema cannot repeat itself here.")
    if ref not in sizes:
        sizes[ref] = _unfold(target, root, sizes, (*open_refs, ref))
    return sizes[ref]


def _parts(schema: dict[str, Any]) -> Iterator[Json]:
    """The schemas directly inside a schema; what is a name or a value there is left out."""
    for key, part in schema.items():
        if key in _DATA:
            continue
        if isinstance(part, list):
            yield from part
        elif key in _NAMING and isinstance(part, dict):
            yield from part.values()
        else:
            yield part


def find_outside_reference(schema: Json) -> str:
    """The first reference of a schema that leads out of it; empty when none does."""
    stack = [schema]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            for key in ("$ref", "$dynamicRef", "$recursiveRef"):
                if isinstance(ref := part.get(key), str) and not ref.startswith("#"):
                    return ref
            stack.extend(part.values())
        elif isinstance(part, list):
            stack.extend(part)
    return ""
