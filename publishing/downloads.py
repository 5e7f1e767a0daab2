"""Files to download: sent while they are read. CSV has lines that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from io import StringIO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "text/plain; charset=utf-8"}
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


def send(request: HttpRequest, pieces: Iterator[str], name: str) -> StreamingHttpResponse:
    """The pieces as a file called `name`, whose ending says what it is: `.csv` or `.jsonl`."""
    content = _aside(pieces) if isinstance(request, ASGIRequest) else pieces
    answer = StreamingHttpResponse(content, content_type=TYPES[name.rpartition(".")[2]])
    answer.headers["content-disposition"] = f'attachment; filename="{name}"'
    return answer


async def _aside(pieces: Iterator[str]) -> AsyncIterator[str]:
    """The same pieces, each read in a thread, since the server's loop must not wait for the database."""
    while (piece := await sync_to_async(lambda: next(pieces, None))()) is not None:
        yield piece
