"""What an expression may cost, estimated from its text before it runs.

CEL has no infinite loops, but nested and chained comprehensions can still double their data at every step, the
engine copies a variable each time it is read, and nothing can interrupt it. So the text is taken apart here into
the few facts that bound its work: which names it reads inside how many loops, and how often each loop repeats its
own item. One unit is about a nanosecond.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from scaicore.errors import RunFailed, SourceUnreadable
from scaicore.jsondata import Json

MAX_SOURCE: Final = 2_000
MAX_LOOPS: Final = 8
MAX_UNITS: Final = 100_000_000
_MAX_ITERATIONS: Final = 10_000  # the engine's own budget for one evaluation
_UNITS_PER_VALUE: Final = 192
_UNITS_PER_COPY: Final = 80  # `map` and `filter` copy their whole result at each turn
_UNITS_PER_REGEX_STATE: Final = 16
_MAX_DEPTH: Final = 80

_LOOPS: Final = frozenset({"all", "exists", "exists_one", "map", "filter"})
_COPYING: Final = frozenset({"map", "filter"})
_WORDS: Final = frozenset({"true", "false", "null", "in"})
_TYPES: Final = frozenset(
    {"int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type", "google"}
)
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<text>[bB]?[rR][bB]?(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')
       |[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0x[0-9a-fA-F]+u?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[uU]?)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<mark>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_REPEAT: Final = re.compile(r"\{(\d+)(?:,(\d*))?\}")


@dataclass(slots=True)
class _Paren:
    """An open bracket; `loop` when it encloses the body of a comprehension."""

    loop: bool = False
    item: str | None = None
    uses: list[int] = field(default_factory=list)  # for each use of the item: how many loops further in
    pattern: bool = False


@dataclass(slots=True)
class Cost:
    """The facts about one expression that bound its work, and the names it reads from the scope."""

    source_length: int
    reads: list[tuple[str, int]] = field(default_factory=list)
    uses: list[list[int]] = field(default_factory=list)
    copies: list[int] = field(default_factory=list)  # for each loop that builds a list: how many loops are around it
    widening: int = 1
    regex_states: int = 0

    @property
    def roots(self) -> tuple[str, ...]:
        return tuple(sorted({name for name, _ in self.reads}))

    def units(self, values: dict[str, Json]) -> int:
        """An upper bound for the work on these values; RunFailed when they are nothing for the engine."""
        weights: dict[str, int] = {}
        longest = self.widening
        for name, value in values.items():
            weights[name], length = _weigh(value)
            longest += length
        # Nested loops multiply; each repeats at most as often as the longest list that it could be given.
        turns: list[int] = [1, *(min(longest**depth, _MAX_ITERATIONS) for depth in range(1, MAX_LOOPS + 1))]
        total = self.source_length * _UNITS_PER_VALUE + sum(weights[name] * turns[depth] for name, depth in self.reads)
        total += sum(turns[1] ** 2 * turns[depth] * _UNITS_PER_COPY for depth in self.copies)
        for uses in self.uses:
            total *= max(1, sum(turns[depth] for depth in uses))
        return total * max(1, self.regex_states * _UNITS_PER_REGEX_STATE)


def measure(source: str) -> Cost:
    """Take an expression apart; SourceUnreadable when it is larger than any expression may be."""
    if len(source) > MAX_SOURCE:
        raise SourceUnreadable(f"An expression has at most {MAX_SOURCE} characters.")
    cost = Cost(len(source))
    stack: list[_Paren] = []
    before, last = ("", ""), ("", "")
    tokens = [(m.lastgroup or "", m.group()) for m in _TOKEN.finditer(source) if m.lastgroup != "space"]
    for position, (kind, text) in enumerate(tokens):
        following = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        if kind == "mark" and text in "([{":
            loop = text == "(" and before[1] == "." and last[1] in _LOOPS
            if loop and last[1] in _COPYING:
                cost.copies.append(sum(paren.loop for paren in stack))
            stack.append(_Paren(loop=loop, pattern=last[1] == "matches"))
        elif kind == "mark" and text in ")]}" and stack:
            _close(stack.pop(), last, cost)
        elif kind == "name" and following != "(" and text not in _WORDS and not _is_field(before, last):
            _name(text, stack, cost)
        elif text in ",+":
            cost.widening += 1
        before, last = last, (kind, text)
    return cost


def _is_field(before: tuple[str, str], last: tuple[str, str]) -> bool:
    """Whether a name after these two tokens is a field of a value; `.name` behind an operator is a plain read."""
    return last[1] == "." and (before[1] in ")]}" if before[0] == "mark" else before[1] not in ("", "in"))


def _close(paren: _Paren, last: tuple[str, str], cost: Cost) -> None:
    if paren.loop:
        cost.uses.append(paren.uses)
        if len(cost.uses) > MAX_LOOPS:
            raise SourceUnreadable(f"An expression has at most {MAX_LOOPS} of `all`, `exists`, `map` and `filter`.")
    if paren.pattern:
        if last[0] != "text":
            raise SourceUnreadable("`matches` needs its pattern as a text in the expression, not as a value.")
        cost.regex_states += _states(last[1])


def _name(name: str, stack: list[_Paren], cost: Cost) -> None:
    depth = 0
    for paren in reversed(stack):
        if not paren.loop:
            continue
        # The first name inside a comprehension declares its item: `list.map(item, …)`.
        if paren.item is None:
            paren.item = name
            return
        if paren.item == name:
            paren.uses.append(depth)
            return
        depth += 1
    if name not in _TYPES:
        cost.reads.append((name, depth))


def _states(pattern: str) -> int:
    states = len(pattern)
    for low, high in _REPEAT.findall(pattern):
        states *= max(1, int((high or low)[:6]))
    return states


def _weigh(value: Json) -> tuple[int, int]:
    """`(units, entries of the longest list or object)`; RunFailed for what the engine would cut off or break on."""
    units, longest, layer = 0, 0, [value]
    for _ in range(_MAX_DEPTH):
        inner: list[Json] = []
        for part in layer:
            units += _UNITS_PER_VALUE
            if isinstance(part, str):
                units += _length(part)
            elif isinstance(part, list):
                inner.extend(part)
                longest = max(longest, len(part))
            elif isinstance(part, dict):
                inner.extend(part.values())
                longest = max(longest, len(part))
                units += sum(map(_length, part))
        if not inner or units > MAX_UNITS:
            return units, longest
        layer = inner
    raise RunFailed("not_plain_data")


def _length(text: Json) -> int:
    """The engine ends a text at its first NUL, so that a condition would see another one than the caller sent."""
    if not isinstance(text, str) or "\0" in text:
        raise RunFailed("not_plain_data")
    return len(text)
