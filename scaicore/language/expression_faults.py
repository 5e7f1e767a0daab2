"""What the CEL engine complains of, in words for who writes an expression in a field."""

import re
from collections.abc import Callable
from typing import Final

_TYPES: Final = {
    "string": "a text",
    "int": "a whole number",
    "uint": "a whole number",
    "double": "a number",
    "bool": "true or false",
    "bytes": "bytes",
    "null_type": "nothing",
    "dyn": "any value",
    "timestamp": "a time",
    "duration": "a length of time",
}
_OPERATOR: Final = re.compile(r"[!@]?_?([^_]+)_?|_\?_:_|_\[_\]")
_SAID: Final[tuple[tuple[str, Callable[[re.Match[str]], str]], ...]] = (
    (r"undeclared reference to '(.+?)'", lambda said: f"there is nothing called `{said[1]}`"),
    (r"found no matching overload for '(.+?)' applied to '(.*)'$", lambda said: _unfit(said[1], said[2])),
    (r"Syntax error: (?:mismatched|extraneous) input '<EOF>'", lambda _: "it ends too early; something is missing"),
    (r"Syntax error: missing '(.)' at '<EOF>'", lambda said: f"it ends too early; `{said[1]}` is missing"),
    (r"Syntax error: missing '(.)' at '(.+?)'", lambda said: f"`{said[1]}` is missing before `{said[2]}`"),
    (r"Syntax error: token recognition error at: '(.+)'$", lambda said: _unread(said[1])),
    (r"Syntax error: \D*? input '(.+?)'", lambda said: f"`{said[1]}` cannot stand there"),
)


def explain(line: str) -> str:
    """One complaint, such as `1:5: undeclared reference to 'nope'`, with the character that it is about."""
    row, _, rest = line.partition(":")
    column, _, said = rest.partition(":")
    if not (row.isdigit() and column.isdigit()):
        return line
    where = f"at character {column}" if row == "1" else f"in line {row}, at character {column}"
    for pattern, say in _SAID:
        if found := re.match(pattern, said.strip(), re.DOTALL):
            return f"{where}, {say(found)}"
    return f"{where}, it is not understood"


def _unfit(name: str, types: str) -> str:
    if name == "_?_:_":
        return "what stands before `?` must be true or false, and what stands around `:` of one type"
    operator = _OPERATOR.fullmatch(name)
    shown = operator[1] if operator and operator[1] else name
    given = [_TYPES.get(one, "such a value") for one in re.split(r", (?![^(]*\))", types.strip("()")) if one]
    return f"`{'[ ]' if name == '_[_]' else shown}` does not take {' and '.join(given) or 'nothing'}"


def _unread(text: str) -> str:
    return "a text begins and does not end" if text[:1] in "'\"" else f"`{text}` cannot stand there"
