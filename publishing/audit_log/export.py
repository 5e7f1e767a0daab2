"""Entries of the audit log as lines of CSV or JSON, read a thousand at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any, Final

from django.db.models import Q, QuerySet

from identity.models import AuditEntry
from publishing import downloads

COLUMNS: Final = (
    "id",
    "at",
    "actor",
    "actor_id",
    "door",
    "request_id",
    "address",
    "action",
    "target",
    "before",
    "after",
)
PER_CHUNK: Final = 1000


def csv_pieces(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """A line of names, then one for each entry; what was before and after is written as JSON."""
    yield downloads.write_lines([COLUMNS])
    for chunk in _chunks(entries):
        yield downloads.write_lines([_cell(entry[name]) for name in COLUMNS] for entry in chunk)


def json_pieces(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """A JSON object on each line."""
    for chunk in _chunks(entries):
        yield "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in chunk)


FORMATS: Final[dict[str, Callable[[QuerySet[AuditEntry]], Iterator[str]]]] = {"csv": csv_pieces, "jsonl": json_pieces}


def _chunks(entries: QuerySet[AuditEntry]) -> Iterator[list[dict[str, Any]]]:
    """The entries in their order, the newest first. No statement and no connection lasts longer than one chunk."""
    rest = entries
    while found := list(rest[:PER_CHUNK]):
        yield [_show(entry) for entry in found]
        last = found[-1]
        rest = entries.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk), at__lte=last.at)


def _show(entry: AuditEntry) -> dict[str, Any]:
    """As the list of `/api/v1/audit` shows it."""
    at = entry.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {name: getattr(entry, name) for name in COLUMNS} | {"id": str(entry.pk), "at": at}


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else "" if value is None else value
