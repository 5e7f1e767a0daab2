"""Charts as plain numbers for an SVG template: bars by day, and lines over them. Nothing is styled inline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 480, 190
LEFT, BOTTOM, TOP = 62, 24, 8
SIZES = ((1_000_000_000, " G"), (1_000_000, " M"), (1_000, " k"))
MOST_DAYS_NAMED = 6
STEPS = (1, 2, 2.5, 5, 10)


MILLISECONDS = " ms"


@dataclass(frozen=True)
class Bar:
    """The rectangle of one day, with a label that the pointer shows."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True)
class Tick:
    """A number on the axis, or a day below it."""

    position: float
    label: str


@dataclass(frozen=True)
class Chart:
    """What the template draws."""

    title: str
    bars: list[Bar]
    lines: list[tuple[str, str]]
    ticks: list[Tick]
    days: list[Tick]
    legend: list[tuple[str, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    floor: int = HEIGHT - BOTTOM


def stacked(title: str, days: Sequence[str], series: dict[str, Sequence[int]], unit: str) -> Chart:
    """Bars, one for each day, with the series on top of each other in their order."""
    top = _ceiling(max((sum(values) for values in zip(*series.values(), strict=True)), default=0))
    step = (WIDTH - LEFT) / max(len(days), 1)
    bars: list[Bar] = []
    for index, day in enumerate(days):
        below = 0
        for number, (name, values) in enumerate(series.items()):
            value = values[index]
            if value:
                bars.append(
                    Bar(
                        x=round(LEFT + index * step + step * 0.12, 2),
                        y=round(_height(below + value, top), 2),
                        width=round(step * 0.76, 2),
                        height=round(_height(below, top) - _height(below + value, top), 2),
                        kind=f"s{number}",
                        title=f"{day}: {value} {name}",
                    )
                )
            below += value
    legend = [(f"s{number}", name) for number, name in enumerate(series)]
    return Chart(title, bars, [], _ticks(top, unit), _day_ticks(days), legend)


def lines(title: str, days: Sequence[str], series: dict[str, Sequence[float | None]], unit: str) -> Chart:
    """Lines over the days, broken where there is no value."""
    top = _ceiling(max((value for values in series.values() for value in values if value), default=0))
    step = (WIDTH - LEFT) / max(len(days), 1)
    drawn = [(f"s{number}", _path(values, step, top)) for number, values in enumerate(series.values())]
    legend = [(f"s{number}", name) for number, name in enumerate(series)]
    return Chart(title, [], drawn, _ticks(top, unit), _day_ticks(days), legend)


def _path(values: Sequence[float | None], step: float, top: float) -> str:
    parts, is_down = [], False
    for index, value in enumerate(values):
        if value is None:
            is_down = False
            continue
        x, y = LEFT + (index + 0.5) * step, _height(value, top)
        # A day between two empty ones is a dot: a line of no length with round ends.
        parts.append(f"{'L' if is_down else 'M'}{x:.1f} {y:.1f}" + ("" if is_down else "h0"))
        is_down = True
    return "".join(parts)


def _height(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _ceiling(value: float) -> float:
    """The next round number, so that the numbers on the axis are round as well."""
    size = 4.0
    while size * 10 <= value:
        size *= 10
    return next((size * step for step in STEPS if size * step >= value), size * 10)


def _ticks(top: float, unit: str) -> list[Tick]:
    return [Tick(_height(value, top), _labelled(value, unit)) for value in (top * part / 4 for part in range(5))]


def _labelled(value: float, unit: str) -> str:
    """A round number with its unit; a second and more are not told in thousands of milliseconds."""
    return f"{value / 1000:g} s" if unit == MILLISECONDS and value >= 1000 else _short(value) + unit


def _short(value: float) -> str:
    """A round number in few characters."""
    if value < 10_000:
        return f"{value:g}"
    size, letter = next((size, letter) for size, letter in SIZES if value >= size)
    return f"{value / size:g}{letter}"


def _day_ticks(days: Sequence[str]) -> list[Tick]:
    """As many days as have room for their names."""
    step = (WIDTH - LEFT) / max(len(days), 1)
    every = -(-len(days) // MOST_DAYS_NAMED)
    return [Tick(LEFT + (index + 0.5) * step, day[5:]) for index, day in enumerate(days) if index % every == 0]
