"""What is wrong with the shape of a part of a document, in words: which part, and what it should be."""

import re
from collections.abc import Callable
from typing import Final

_TYPES: Final = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "nothing",
}
# By the pattern that a text must fit.
_PATTERNS: Final = {
    "^[a-z][a-z0-9_]*\\Z": "use lower-case letters, digits and underscores, and begin with a letter",
    "^[A-Za-z_][A-Za-z0-9_]*\\Z": "use letters, digits and underscores, and begin with a letter",
    r"^\d{1,6}\s*[smhd]$": "write a number and s, m, h or d, such as 24h",
}
# How msgspec begins, and what we say; the groups are msgspec's own words.
_SAID: Final[tuple[tuple[str, Callable[[re.Match[str]], str]], ...]] = (
    (r"Object missing required field `(.+)`", lambda said: f"{spoken(said[1])} is missing; add it"),
    (r"Object contains unknown field `(.+)`", lambda said: f"there is no field “{said[1]}”; remove it"),
    (r"Expected `str` of length >= 1", lambda _: "this is empty; fill it in"),
    (r"Expected `str` matching regex '(.*)'", lambda said: _pattern(said[1])),
    (r"Expected `(\w+)` of length (>=|<=) (\d+)", lambda said: f"{_bound(said[2], said[3])} {_unit(said[1])}"),
    (r"Expected `\w+` (>=|<=|>|<) (\S+)", lambda said: f"it must be {_bound(said[1], said[2])}"),
    (r"Expected `(.+)`, got `(.+)`", lambda said: f"it must be {_kinds(said[1])}, and is {_kinds(said[2])}"),
    (r"Invalid enum value (.+)", lambda said: f"{said[1].strip(chr(39))} is none of the values that it may have"),
)
_BOUNDS: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
# How parts of a document begin, and what people call them; the first group counts from 0.
_PLACES: Final = (
    (r"config\.core_identity\.models\[(\d+)\]", "Language model"),
    (r"variables\[(\d+)\]", "Variable"),
    (r"nodes\[(\d+)\]", "Node"),
    (r"edges\[(\d+)\]", "Edge"),
    (r"tests\[(\d+)\]", "Test"),
)
_NAMES: Final = {"ref": "provider", "llm_role": "LLM role", "url": "URL", "json": "JSON", "id": "id"}


def explain(said: str) -> str:
    """msgspec's words about a part, in ours; its own where it says what nobody has thought of."""
    for pattern, say in _SAID:
        if found := re.match(pattern, said, re.DOTALL):
            return say(found)
    return said[0].lower() + said[1:].replace("`", "")


def place(path: str, node: str | None = None) -> str:
    """What people call the part of a document at a path: `variables[0].name` is `Variable 1, name`; `node` is the id of
    the node that it lies in, where that is known."""
    for pattern, name in _PLACES:
        if found := re.match(pattern, path):
            rest = spoken(path[found.end() :].removeprefix(".config").strip("."))
            if node is not None:
                return f"Node `{node[:80]}`{rest and f': {rest}'}"
            return f"{name} {int(found[1]) + 1}{rest and f', {rest}'}"
    words = spoken(path.removeprefix("config.").removeprefix("scaiflow_meta."))
    return words[:1].upper() + words[1:] or "The document"


def spoken(path: str) -> str:
    """The words of a path: `fallback[0].max_tokens` is `fallback 1, max tokens`."""
    words = (re.sub(r"\[(\d+)\]", lambda found: f" {int(found[1]) + 1}", part) for part in path.split("."))
    return ", ".join(_NAMES.get(word, word.replace("_", " ")) for word in words)


def _pattern(pattern: str) -> str:
    known = _PATTERNS.get(pattern) or _PATTERNS.get(pattern.replace("\\\\", "\\"))
    return known or "it has characters that it may not have"


def _kinds(names: str) -> str:
    return " or ".join(_TYPES.get(name, name) for name in names.split(" | "))


def _bound(sign: str, number: str) -> str:
    return f"{_BOUNDS[sign]} {number}"


def _unit(kind: str) -> str:
    return "characters" if kind == "str" else "entries"
