"""What a run found: printed as it comes, and written to docs/performance.md with its raw rows."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "performance.md"
PICTURE: Final = ROOT / "docs" / "images" / "performance.svg"
BEGIN: Final = "<!-- What follows is written by `python -m bench --write`. -->"


@dataclass(frozen=True)
class Row:
    """One server in one scenario: the medians of its rounds, and the rounds' own rates."""

    rate: float
    rates: list[float]
    p50_ms: float
    p99_ms: float
    word_rate: float
    word_rates: list[float]
    first_word_ms: float
    failures: int


@dataclass
class Page:
    """Tables in the order in which they were measured."""

    _lines: list[str] = field(default_factory=list)
    _raw: list[str] = field(default_factory=list)
    _bars: dict[str, float] = field(default_factory=dict)

    def add_calls(self, name: str, connections: int, rows: dict[str, Row]) -> None:
        """Calls for whole or streamed answers of an echo; the first row is the bare server."""
        base = next(iter(rows.values())).rate
        if not self._bars:
            self._bars = {who: row.rate for who, row in rows.items()}
        self._table(
            f"{name}, {_connections(connections)}",
            ["", "ratio", "requests/s", "p50 ms", "p99 ms"],
            [
                [who, f"{row.rate / base:.3f}", f"{row.rate:,.0f}", f"{row.p50_ms:.2f}", f"{row.p99_ms:.2f}"]
                for who, row in rows.items()
            ],
        )
        self._keep(name, connections, rows, "requests/s")

    def add_streams(self, connections: int, rows: dict[str, Row]) -> None:
        """Streams of a model that are handed on; the first row is the model itself, the second a bare relay."""
        model, relay = list(rows.values())[:2]
        self._table(
            f"A model's stream of 200 small pieces, {_connections(connections)}",
            ["", "to the model", "to the bare relay", "pieces/s", "first piece, p50 ms"],
            [
                [
                    who,
                    f"{row.word_rate / model.word_rate:.2f}",
                    f"{row.word_rate / relay.word_rate:.2f}",
                    f"{row.word_rate:,.0f}",
                    f"{row.first_word_ms:.1f}",
                ]
                for who, row in rows.items()
            ],
        )
        self._keep("streams", connections, rows, "pieces/s")

    def add_figures(self, title: str, figures: dict[str, str]) -> None:
        """A short list of single figures."""
        self._table(title, ["", "figure"], [[name, figure] for name, figure in figures.items()])

    def write(self) -> None:
        """Replace what the last run wrote, and the picture."""
        prose = PAGE.read_text().partition(BEGIN)[0]
        machine = (
            f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}"
        )
        when = f"Run on {datetime.now(UTC):%-d %B %Y}; {machine}."
        raw = ["### Raw rows", "", "Each round by itself.", "", "```", *self._raw, "```"]
        PAGE.write_text("\n".join([prose + BEGIN, "", when, "", *self._lines, *raw]) + "\n")
        PICTURE.write_text(_bars(self._bars))
        print(f"Written to {PAGE.relative_to(ROOT)}.", file=sys.stderr)

    def _table(self, title: str, heads: list[str], rows: list[list[str]]) -> None:
        print(f"\n{title}")
        widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
        for row in [heads, *rows]:
            print("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]))
        sys.stdout.flush()
        marks = ["---", *["---:"] * (len(heads) - 1)]
        self._lines += [f"### {title}", "", *map(_markdown, [heads, marks, *rows]), ""]

    def _keep(self, name: str, connections: int, rows: dict[str, Row], unit: str) -> None:
        for who, row in rows.items():
            rates = row.word_rates if unit == "pieces/s" else row.rates
            figures = " ".join(f"{rate:,.0f}" for rate in rates)
            if row.failures:
                figures += f" ({row.failures} calls failed)"
            self._raw.append(f"{name}, {_connections(connections)}, {who}: {figures} {unit}")


def _connections(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"


def _markdown(cells: Iterable[str]) -> str:
    return re.sub(" +", " ", f"| {' | '.join(cells)} |")


def _bars(rates: dict[str, float]) -> str:
    """A picture of the rates, one bar each, as long as its rate."""
    most, height = max(rates.values()), 34
    bars = []
    for number, (name, rate) in enumerate(rates.items()):
        top = 10 + number * height
        bars.append(
            f'<text x="0" y="{top + 15}">{escape(name)}</text>'
            f'<rect x="210" y="{top}" width="{max(1, 380 * rate / most):.0f}" height="20" rx="3" fill="#3b82c4"/>'
            f'<text x="{220 + 380 * rate / most:.0f}" y="{top + 15}">{rate:,.0f}</text>'
        )
    # A grey that can be read on white and on a dark page.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 {len(rates) * height + 10}" role="img" '
        'font-family="sans-serif" font-size="14" fill="#7a7f87">'
        "<title>Whole answers per second, small body, 16 connections</title>" + "".join(bars) + "</svg>\n"
    )
