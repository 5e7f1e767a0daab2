"""Variables: the memory that a flow declares, each with its type."""

from collections.abc import Callable
from typing import Final

from scaicore.jsondata import Json


def _is_number(value: Json) -> bool:
    # A bool is an int in Python, but not in JSON.
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Json) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


# (whether a value fits, the value when none is declared)
_Type = tuple[Callable[[Json], bool], Json]

_STRING: Final[_Type] = (lambda value: isinstance(value, str), "")
_NUMBER: Final[_Type] = (_is_number, 0)
_INTEGER: Final[_Type] = (_is_integer, 0)
_BOOLEAN: Final[_Type] = (lambda value: isinstance(value, bool), False)
_ARRAY: Final[_Type] = (lambda value: isinstance(value, list), [])
_OBJECT: Final[_Type] = (lambda value: isinstance(value, dict), {})
_ANY: Final[_Type] = (lambda value: True, None)

# Each type under the names that authors of flows commonly write.
TYPES: Final[dict[str, _Type]] = {
    "string": _STRING,
    "text": _STRING,
    "number": _NUMBER,
    "float": _NUMBER,
    "integer": _INTEGER,
    "int": _INTEGER,
    "boolean": _BOOLEAN,
    "bool": _BOOLEAN,
    "array": _ARRAY,
    "list": _ARRAY,
    "object": _OBJECT,
    "map": _OBJECT,
    "any": _ANY,
    "json": _ANY,
}


def fits(value: Json, type_name: str) -> bool:
    """Whether a variable of the type may hold the value; null means unset and fits every type."""
    return value is None or TYPES[type_name][0](value)


def initial(type_name: str) -> Json:
    """The value of a variable that declares no default."""
    return TYPES[type_name][1]


def is_kept(value: Json, type_name: str | None) -> bool:
    """Whether a value of an earlier version is still read by one that declares this type; None: declares nothing."""
    # An unknown type is the compiler's to refuse.
    return value is None or (type_name is not None and (type_name not in TYPES or fits(value, type_name)))
