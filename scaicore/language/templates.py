"""Templates: text with `{{path}}` placeholders, filled from the scope in one pass, nothing evaluated.

`\\{{` is the text `{{`, and `\\\\{{` a backslash before a placeholder, as in Handlebars.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from scaicore.errors import RunFailed, SourceUnreadable
from scaicore.jsondata import Json, compact

MAX_SOURCE: Final = 200_000
MAX_FILLED: Final = 32_000_000  # characters; one large value may be named many times

_OPENING: Final = re.compile(r"(\\*)\{\{")
_PATH: Final = re.compile(r"[^\W\d][\w-]*(?:\.[\w-]+)*")
_MISSING: Final = object()  # unlike None, which is a value


class Template:
    """A template, read once; `fill` puts in the values of a scope."""

    __slots__ = ("_parts", "head", "paths")

    def __init__(self, source: str) -> None:
        self._parts = tuple(_split(source))
        self.head = self._parts[0] if self._parts and isinstance(self._parts[0], str) else ""
        self.paths: tuple[tuple[str, ...], ...] = tuple(part for part in self._parts if isinstance(part, tuple))

    def fill(self, scope: Mapping[str, Json], missing: list[str]) -> str:
        """The text; a path that leads nowhere is empty and its name is added to `missing`.

        A value goes in as it is: what it contains is never read as a template again.
        """
        pieces = [part if isinstance(part, str) else _text(part, scope, missing) for part in self._parts]
        if sum(map(len, pieces)) > MAX_FILLED:
            raise RunFailed("too_much_data")
        return pieces[0] if len(pieces) == 1 else "".join(pieces)

    def fill_encoded(self, scope: Mapping[str, Json], missing: list[str], encode: Callable[[str], str]) -> str:
        """The text with each value passed through `encode`, so that it cannot change the structure around it."""
        pieces = (part if isinstance(part, str) else encode(_text(part, scope, missing)) for part in self._parts)
        return "".join(pieces)


def look(path: tuple[str, ...], scope: Mapping[str, Json]) -> Json:
    """The value at a path; None where it leads nowhere."""
    value: Json = scope
    for step in path:
        value = _step(value, step)
    return None if value is _MISSING else value


def _split(source: str) -> list[str | tuple[str, ...]]:
    if len(source) > MAX_SOURCE:
        raise SourceUnreadable(f"A template has at most {MAX_SOURCE} characters.")
    parts: list[str | tuple[str, ...]] = []
    text, at = "", 0
    while found := _OPENING.search(source, at):
        slashes = len(found[1])
        text += source[at : found.start()] + "\\" * (slashes // 2)
        at = found.end()
        if slashes % 2:
            text += "{{"
            continue
        end = source.find("}}", at)
        if end < 0:
            raise SourceUnreadable("A placeholder is opened with `{{` and never closed; add `}}`, or write `\\{{`.")
        parts += [text, _path(source[at:end].strip())] if text else [_path(source[at:end].strip())]
        text, at = "", end + 2
    text += source[at:]
    return [*parts, text] if text else parts


def _path(inner: str) -> tuple[str, ...]:
    if not _PATH.fullmatch(inner):
        raise SourceUnreadable(
            f"`{inner[:80]}` is not a path. Between `{{{{` and `}}}}`, write only names joined by dots, such as "
            "`message` or `state.name`; a template calculates nothing."
        )
    return tuple(inner.split("."))


def _text(path: tuple[str, ...], scope: Mapping[str, Json], missing: list[str]) -> str:
    value: Json = scope
    for step in path:
        value = _step(value, step)
        if value is _MISSING:
            missing.append(".".join(path))
            return ""
    return value if isinstance(value, str) else compact(value)


def _step(value: Json, step: str) -> Json:
    if isinstance(value, dict):
        return value.get(step, _MISSING)
    # Ten digits are more than any list has entries; thousands of them would take long to convert.
    if isinstance(value, list) and step.isdecimal() and len(step) < 10 and int(step) < len(value):
        return value[int(step)]
    return _MISSING
