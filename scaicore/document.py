"""Flow documents as their authors write them: a new one, its version number, its properties. Nothing else in a document
is ever changed, so that what this system does not know survives every edit."""

import re
from typing import Any, Final, Literal

import msgspec

from scaicore.flow import EntityScope, InstanceMode
from scaicore.jsondata import Json

FIRST_VERSION: Final = "1.0.0"
_NUMBER: Final = r"(0|[1-9]\d*)"
_SEMVER: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    r"(?P<pre>-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
_MAX_VERSION: Final = 100
# Who may read the prompts of a flow, besides those who may change it.
Readers = Literal["editors", "tenant"]


class Properties(msgspec.Struct, frozen=True):
    """What the Flow properties panel shows. Where a document holds something unusable, it is the default."""

    publish_as_model: bool = False
    group_ids: tuple[str, ...] = ()
    instance_mode: InstanceMode = "stateless"
    entity_scope: EntityScope = "user"
    tracing: bool = False
    test_before_deploy: bool = False
    slug: str = ""
    tags: tuple[str, ...] = ()
    readers: Readers = "editors"


# property → its keys in the document
_PATHS: Final[dict[str, tuple[str, ...]]] = {
    "publish_as_model": ("config", "publish_as_model"),
    "group_ids": ("config", "model_visibility_group_ids"),
    "slug": ("config", "slug"),
    "instance_mode": ("config", "scaiflow_meta", "instance_mode"),
    "entity_scope": ("config", "scaiflow_meta", "entity_scope"),
    "tracing": ("config", "scaiflow_meta", "tracing"),
    "test_before_deploy": ("config", "scaiflow_meta", "test_before_deploy"),
    "tags": ("metadata", "tags"),
    "readers": ("config", "scaiflow_meta", "readers"),
}
# The panel must open for any document, so each property is read by its own type and falls back on its own.
_TYPES: Final[dict[str, Any]] = dict(Properties.__annotations__)


def new_document(name: str) -> dict[str, Json]:
    """A flow that answers every message with the message itself, ready to be edited or deployed."""
    return {
        "name": name,
        "version": FIRST_VERSION,
        "scaicore_target": "2",
        "metadata": {"description": ""},
        "nodes": [
            _node("entry", "entry_api", "Entry", 80, {"method": "POST", "path": "/"}, inputs=[], outputs=["out"]),
            _node("reply", "llm_rigid", "Reply", 360, {"template": "{{message}}", "result_binding": "response"}),
        ],
        "edges": [
            {
                "id": "entry-reply",
                "type": "sequential",
                "source": {"node": "entry", "port": "out"},
                "target": {"node": "reply", "port": "in"},
            }
        ],
        "variables": [],
        "config": {"publish_as_model": False, "model_visibility_group_ids": []},
        "tests": [],
    }


def _node(
    node_id: str,
    kind: str,
    label: str,
    x: int,
    config: dict[str, Json],
    inputs: list[str] | None = None,
    outputs: list[str] | None = None,
) -> dict[str, Json]:
    def ports(names: list[str]) -> list[dict[str, str]]:
        return [{"id": name, "label": name, "type": "any"} for name in names]

    return {
        "id": node_id,
        "type": kind,
        "label": label,
        "position": {"x": x, "y": 120},
        "config": config,
        "inputs": ports(["in"] if inputs is None else inputs),
        "outputs": ports(["out"] if outputs is None else outputs),
    }


def is_semver(version: object) -> bool:
    """Whether it is a version number by semver 2.0.0."""
    return isinstance(version, str) and len(version) <= _MAX_VERSION and _SEMVER.fullmatch(version) is not None


def next_version(version: object) -> str:
    """The patch after a version, `1.2.3` → `1.2.4`; the first version after anything that is no version."""
    matched = _SEMVER.fullmatch(version) if isinstance(version, str) and len(version) <= _MAX_VERSION else None
    if matched is None:
        return FIRST_VERSION
    major, minor, patch = matched.group(1, 2, 3)
    return f"{major}.{minor}.{int(patch) + 1}"


def properties(document: object) -> Properties:
    """The properties of a document; never raises, whatever the document is."""
    found = {name: _read(document, path, _TYPES[name]) for name, path in _PATHS.items()}
    return Properties(**{name: value for name, value in found.items() if value is not None})


def outline(document: dict[str, Json]) -> dict[str, Json]:
    """The document without what is written in it for a model or a server: what there is, and what leads where."""
    parts = (
        ("nodes", ("id", "type", "label", "position", "inputs", "outputs")),
        ("edges", ("id", "type", "source", "target")),
        ("variables", ("name", "type")),
    )
    kept: dict[str, Json] = {
        key: document[key] for key in ("id", "name", "version", "scaicore_target") if key in document
    }
    for part, keys in parts:
        listed = _read(document, (part,), list[Any]) or []
        kept[part] = [_only(each, keys) for each in listed if isinstance(each, dict)]
    meta = _read(document, ("config", "scaiflow_meta"), dict[str, Any]) or {}
    shown = {
        "publish_as_model": properties(document).publish_as_model,
        "scaiflow_meta": _only(meta, ("instance_mode", "entity_scope", "readers")),
    }
    described = _read(document, ("metadata",), dict[str, Any]) or {}
    return {**kept, "metadata": _only(described, ("description", "tags")), "config": shown}


def _only(given: dict[str, Json], keys: tuple[str, ...]) -> dict[str, Json]:
    return {key: given[key] for key in keys if key in given}


def variable_types(document: object) -> dict[str, str]:
    """The variables of a document, or of a program as data, each with its type; what is unusable is left out."""
    declared = _read(document, ("variables",), list[Any]) or []
    named = [each for each in declared if isinstance(each, dict) and isinstance(each.get("name"), str)]
    return {each["name"]: kind for each in named if isinstance(kind := each.get("type", "any"), str)}


def _read(document: object, path: tuple[str, ...], kind: Any) -> Any:
    part = document
    for key in path:
        part = part.get(key) if isinstance(part, dict) else None
    try:
        return msgspec.convert(part, kind)
    except msgspec.ValidationError:
        return None


def with_properties(document: dict[str, Json], **changes: Json) -> dict[str, Json]:
    """A copy of the document with some properties changed, named as in `Properties`; the rest as it was."""
    changed = dict(document)
    # Only the objects along the way are copied: the caller's document must stay as it was, and may be large.
    for name, value in changes.items():
        *sections, key = _PATHS[name]
        part = changed
        for section in sections:
            held = part.get(section)
            part[section] = dict(held) if isinstance(held, dict) else {}
            part = part[section]
        part[key] = list(value) if isinstance(value, tuple) else value
    return changed
