"""Lists of tools as servers give them: read with distrust, cut to what is kept, and compared."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from scaicore.errors import SourceUnreadable
from scaicore.jsondata import encode
from scaicore.language.caller_schemas import CallerSchema

MOST_TOOLS: Final = 200
LONGEST_DESCRIPTION: Final = 4_000
LARGEST_SCHEMA: Final = 30_000  # characters
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}")
_PARTS: Final = ("description", "input_schema")


class ToolChange(Struct, frozen=True):
    """What became of a tool since its server's list was accepted; of a changed one, which parts."""

    name: str
    change: str  # added, removed, changed
    parts: list[str] = []


class ToolList(Struct, frozen=True):
    """The usable tools of a list by name, and the others with the reason why not."""

    tools: list[dict[str, Any]]
    left_out: list[dict[str, str]]


def read(listed: Iterable[Any]) -> ToolList:
    """What of a server's list can be used."""
    tools: dict[str, dict[str, Any]] = {}
    left_out = []
    for raw in listed:
        name = raw.get("name") if isinstance(raw, dict) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            shown = ascii(name)[:80] if isinstance(name, str) else "?"
            left_out.append({"name": shown, "reason": "it has no name that can be used"})
        elif name in tools:
            left_out.append({"name": name, "reason": "another tool has the same name"})
        elif reason := _find_fault(raw):
            left_out.append({"name": name, "reason": reason})
        else:
            tools[name] = _kept(raw)
    return ToolList([tools[name] for name in sorted(tools)], left_out)


def digest(tools: Sequence[dict[str, Any]]) -> str:
    """The same for lists whose tools are the same."""
    return _sha256([[tool["name"], tool["digest"]] for tool in tools])


def compare(accepted: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]) -> list[ToolChange]:
    """What of `found` is otherwise than what was accepted, by name."""
    return sorted(_changes(accepted, found), key=lambda change: change.name)


def _changes(accepted: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]) -> Iterator[ToolChange]:
    before = {tool["name"]: tool for tool in accepted}
    after = {tool["name"]: tool for tool in found}
    yield from (ToolChange(name, "added") for name in after.keys() - before.keys())
    yield from (ToolChange(name, "removed") for name in before.keys() - after.keys())
    for name in before.keys() & after.keys():
        if parts := [part for part in _PARTS if before[name][part] != after[name][part]]:
            yield ToolChange(name, "changed", parts)


def _find_fault(raw: dict[str, Any]) -> str:
    schema, described = raw.get("inputSchema"), raw.get("description", "")
    if described is not None and not isinstance(described, str):
        return "its description is no text"
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "its input schema is none of an object"
    if len(encode(schema)) > LARGEST_SCHEMA:
        return f"its input schema has more than {LARGEST_SCHEMA} characters"
    try:
        CallerSchema(schema)
    except SourceUnreadable as problem:
        return f"its input schema cannot be used: {problem}"
    return ""


def _kept(raw: dict[str, Any]) -> dict[str, Any]:
    described = (raw.get("description") or "").strip()[:LONGEST_DESCRIPTION]
    tool = {"name": raw["name"], "description": described, "input_schema": raw["inputSchema"]}
    return tool | {"digest": _sha256(tool)}


def _sha256(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
