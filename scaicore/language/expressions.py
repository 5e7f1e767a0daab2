"""Expressions: conditions and values in the Common Expression Language, compiled once, evaluated over the scope."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from cel_expr_python import cel

from scaicore.errors import RunFailed, SourceUnreadable
from scaicore.jsondata import MAX_DEPTH, Json
from scaicore.language import expression_cost, expression_faults

_ERROR: Final = cel.Type.ERROR
_BOOL: Final = cel.Type.BOOL
# What a chat call always sends. The engine cannot compare these with null, and with another type only in vain.
_TYPES: Final = {"message": cel.Type.STRING, "messages": cel.Type.List(cel.Type.DYN)}


class Expression:
    """An expression, compiled once. A name that the scope does not hold is null."""

    __slots__ = ("_compiled", "_cost", "roots")

    def __init__(self, source: str) -> None:
        self._cost = expression_cost.measure(source)
        self.roots: tuple[str, ...] = self._cost.roots
        # Unchecked, in one environment for all: a checked one for each expression costs thirty times as much, and
        # `verify` was called at deploy.
        self._compiled = _read(_untyped(), source, disable_check=True)

    def holds(self, scope: Mapping[str, Json]) -> bool:
        """Whether the condition is true; RunFailed when it cannot be evaluated or is not a truth value."""
        value = self._eval(scope)
        if value.type() != _BOOL:
            raise RunFailed("expression_not_boolean")
        return value.plain_value() is True

    def evaluate(self, scope: Mapping[str, Json]) -> Json:
        """The value as plain JSON data; times as ISO 8601, durations as seconds."""
        return _plain(self._eval(scope).plain_value())

    def _eval(self, scope: Mapping[str, Json]) -> Any:
        values = {name: scope.get(name) for name in self.roots}
        # The engine cannot be interrupted, so what it would cost is estimated first.
        if self._cost.units(values) > expression_cost.MAX_UNITS:
            raise RunFailed("expression_too_costly")
        try:
            value = self._compiled.eval(data=values)
        except (RuntimeError, TypeError, ValueError, OverflowError):
            # The engine's message may quote a caller's text, which must reach neither the log nor other people.
            raise RunFailed("expression_failed") from None
        if value.type() == _ERROR:
            raise RunFailed("expression_failed")
        return value


def verify(source: str) -> bool:
    """Whether the expression may be a condition, for its author: SourceUnreadable also for unknown functions and for
    types that can never fit."""
    names = expression_cost.measure(source).roots
    return _read(_typed(names), source).return_type() in (_BOOL, cel.Type.DYN)


def find_mismatch(source: str) -> str | None:
    """The engine's complaint about an expression when the message counts as text, such as about `message == 3`."""
    names = expression_cost.measure(source).roots
    try:
        _read(cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN) | _known(names)), source)
    except SourceUnreadable as problem:
        return str(problem)
    return None


def _known(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: kind for name, kind in _TYPES.items() if name in names}


def _read(environment: Any, source: str, **options: bool) -> Any:
    try:
        return environment.compile(source, **options)
    except (RuntimeError, TypeError, ValueError) as problem:
        raise SourceUnreadable(_first_line(str(problem))) from None


@lru_cache(maxsize=1)
def _untyped() -> Any:
    return cel.NewEnv()


@lru_cache(maxsize=64)
def _typed(names: tuple[str, ...]) -> Any:
    return cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN))


def _first_line(problem: str) -> str:
    """The engine's first complaint in words."""
    line = problem.splitlines()[0] if problem else ""
    return expression_faults.explain(line.partition("<input>:")[2]) or "it nests too deeply or is not text"


def _plain(value: Any, depth: int = 0) -> Json:
    """Plain JSON data of what the engine gave; recursion ends at `MAX_DEPTH`."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if depth < MAX_DEPTH:
        if isinstance(value, list):
            return [_plain(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    raise RunFailed("not_plain_data")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    return str(key).lower() if isinstance(key, bool) else str(key)
