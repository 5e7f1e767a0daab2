"""CSV: lines that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

# A spreadsheet would run a cell that begins so.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def escape_cell(cell: object) -> str:
    """The text of a cell; behind an apostrophe where a spreadsheet would take it for a formula."""
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def write_lines(rows: Iterable[Iterable[object]]) -> str:
    """The rows as lines of CSV, each cell escaped."""
    file = StringIO()
    csv.writer(file).writerows([escape_cell(cell) for cell in row] for row in rows)
    return file.getvalue()
