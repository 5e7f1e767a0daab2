"""Arguments of a tool: made to fit its input schema where only their form differs, and checked against it."""

from functools import lru_cache
from typing import Any, Final

import msgspec

from scaicore.errors import SourceUnreadable
from scaicore.jsondata import Json, encode
from scaicore.language.caller_schemas import CallerSchema

# What the text of a filled template may stand for.
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def find_misfit(schema: dict[str, Any], arguments: Json) -> str:
    """What is wrong with the arguments, in words for a model and without theirs; empty when they fit."""
    if not isinstance(arguments, dict):
        return "they are no JSON object"
    return _checker(encode(schema)).find_misfit(encode(arguments))


def fitted(schema: dict[str, Any], arguments: dict[str, Json]) -> dict[str, Json]:
    """The arguments, with texts read as JSON where the schema wants no text: a filled template is one always."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return arguments
    return {name: _fitted(properties.get(name), value) for name, value in arguments.items()}


def _fitted(schema: Json, value: Json) -> Json:
    wanted = schema.get("type") if isinstance(schema, dict) else None
    if not isinstance(value, str) or not isinstance(wanted, str) or wanted not in _TYPES:
        return value
    try:
        read = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return value
    is_wanted = isinstance(read, _TYPES[wanted]) and (wanted == "boolean" or not isinstance(read, bool))
    return read if is_wanted else value


@lru_cache(maxsize=256)
def _checker(source: str) -> CallerSchema:
    """The schema, read once for as long as it is in use."""
    return CallerSchema(msgspec.json.decode(source))


def find_fault(schema: Json) -> str:
    """Why it cannot be the input schema of a tool; empty when it can."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "it is none of an object"
    try:
        _checker(encode(schema))
    except SourceUnreadable as problem:
        return str(problem)
    return ""
