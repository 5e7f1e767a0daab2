"""Whether what one schema promises is what another one asks for, as far as that can be said of any value at once.

It finds what is certain to disagree, and names the place. An answer is checked all the same when it is there.
"""

from collections.abc import Iterator
from typing import Any, Final

from scaicore.jsondata import Json, encode

MAX_SHOWN: Final = 5
MAX_DEPTH: Final = 32
MAX_STEPS: Final = 5_000  # after them nothing more is compared: the caller wrote one of the two
_ALL_TYPES: Final = frozenset(("null", "boolean", "integer", "number", "string", "array", "object"))
_BOUNDS: Final = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "multipleOf")


def differences(promised: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Where an answer that fits `promised` is sure not to fit `wanted`, or may not; a few of them, in words."""
    found: list[str] = []
    for difference in _Comparison(promised, wanted).differences(promised, wanted, "$", 0):
        found.append(difference)
        if len(found) == MAX_SHOWN:
            break
    return found


class _Comparison:
    """Two schemas, each with its own definitions."""

    def __init__(self, promised: dict[str, Any], wanted: dict[str, Any]) -> None:
        self._promised, self._wanted = promised, wanted
        self._left = MAX_STEPS

    def differences(self, promised: Json, wanted: Json, path: str, depth: int) -> Iterator[str]:
        """What differs at `path`."""
        promised, wanted = _resolve(promised, self._promised), _resolve(wanted, self._wanted)
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH or not isinstance(wanted, dict) or promised == wanted:
            return
        promised = promised if isinstance(promised, dict) else {}
        for choice in ("anyOf", "oneOf"):
            if choice in wanted:
                yield from self._choice(promised, wanted[choice], path, depth)
                return
        yield from _types(promised, wanted, path)
        yield from _values(promised, wanted, path)
        yield from self._properties(promised, wanted, path, depth)
        if "items" in wanted and "array" in _types_of(promised):
            yield from self.differences(promised.get("items", {}), wanted["items"], f"{path}[]", depth + 1)
        for bound in _BOUNDS:
            if bound in wanted and promised.get(bound) != wanted[bound]:
                yield f"`{path}`: `{bound}` {encode(wanted[bound])} is not promised"

    def _choice(self, promised: dict[str, Any], options: Json, path: str, depth: int) -> Iterator[str]:
        """Each alternative that is promised must be one of those that are wanted."""
        alternatives = promised.get("anyOf") or promised.get("oneOf") or [promised]
        for alternative in alternatives:
            split = (
                [{**alternative, "type": each} for each in _types_of(alternative)] if _is_union(alternative) else None
            )
            for one in split or [alternative]:
                if not any(not list(self.differences(one, option, path, depth + 1)) for option in options):
                    yield f"`{path}` is none of the alternatives that are asked for"
                    return

    def _properties(self, promised: dict[str, Any], wanted: dict[str, Any], path: str, depth: int) -> Iterator[str]:
        mine, theirs = promised.get("properties", {}), wanted.get("properties", {})
        for name in wanted.get("required", ()):
            if name not in promised.get("required", ()):
                yield f"`{path}.{name}` is required, and the flow does not promise it"
        for name, schema in theirs.items():
            if name in mine:
                yield from self.differences(mine[name], schema, f"{path}.{name}", depth + 1)
        if wanted.get("additionalProperties") is False:
            for name in mine:
                if name not in theirs:
                    yield f"`{path}.{name}` is what the flow answers, and it is not asked for"


def _types(promised: dict[str, Any], wanted: dict[str, Any], path: str) -> Iterator[str]:
    able = _types_of(wanted)
    able = able | {"integer"} if "number" in able else able
    if strange := sorted(_types_of(promised) - able):
        yield f"`{path}` may be of the type `{strange[0]}`, and `{'`, `'.join(sorted(_types_of(wanted)))}` is asked for"


def _types_of(schema: dict[str, Any]) -> frozenset[str]:
    found = schema.get("type")
    if isinstance(found, list):
        return frozenset(found)
    if found is None and "properties" in schema:
        return frozenset(("object",))
    return _ALL_TYPES if found is None else frozenset((found,))


def _is_union(schema: dict[str, Any]) -> bool:
    return isinstance(schema.get("type"), list)


def _values(promised: dict[str, Any], wanted: dict[str, Any], path: str) -> Iterator[str]:
    able = wanted.get("enum", [wanted["const"]] if "const" in wanted else None)
    if able is None:
        return
    given = promised.get("enum", [promised["const"]] if "const" in promised else None)
    if given is None:
        yield f"`{path}` may be anything, and one of {encode(able)[:100]} is asked for"
    elif strange := [value for value in given if value not in able]:
        yield f"`{path}` may be {encode(strange[0])[:50]}, which is not among {encode(able)[:100]}"


def _resolve(schema: Json, root: dict[str, Any]) -> Json:
    """The schema behind a reference; what leads nowhere stays as it is."""
    for _ in range(MAX_DEPTH):
        ref = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(ref, str) or not ref.startswith("#"):
            return schema
        found: Json = root
        for name in filter(None, ref[1:].split("/")):
            found = found.get(name, {}) if isinstance(found, dict) else {}
        schema = found
    return schema
