"""The flow document, version 2, typed: what its author wrote, part by part, without what this version does not know."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from scaicore import shapes
from scaicore.diagnostics import Diagnostic, error
from scaicore.jsondata import Json, defect
from scaicore.model_options import NO_OPTIONS, ModelOptions

InstanceMode = Literal["stateless", "entity", "singleton"]
EntityScope = Literal["user", "tenant"]
EdgeType = Literal["sequential", "conditional", "data"]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Role = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*\\Z", max_length=100)]
Number = int | float

# Compiling takes time in proportion to these; a document of this size still compiles within seconds.
MAX_NODES: Final = 5_000
MAX_EDGES: Final = 10_000
MAX_TESTS: Final = 200
ELSE: Final = "else"
DEFAULT_PORT: Final = "in"


class DocumentPart(msgspec.Struct, frozen=True):
    """A part of the document. Unknown keys are no error: other tools keep their own data there."""


class Position(DocumentPart, frozen=True):
    x: Number = 0
    y: Number = 0


class Port(DocumentPart, frozen=True):
    id: Id
    label: str | None = None
    type: Any = None


class Node(DocumentPart, frozen=True):
    """A step of the flow; `config` is read by the node kind that `type` names."""

    id: Id
    type: Id
    label: str | None = None
    position: Position | None = None
    config: dict[str, Any] | None = None
    inputs: list[Port] | None = None
    outputs: list[Port] | None = None

    def has_port(self, side: Literal["inputs", "outputs"], port: str) -> bool:
        """Whether an edge may use the port; a node that declares no ports at all takes any name."""
        if not self.inputs and not self.outputs:
            return True
        return any(declared.id == port for declared in getattr(self, side) or ())


class End(DocumentPart, frozen=True):
    """Where an edge begins or ends; without a port it is the node's only one."""

    node: Id
    port: str | None = None


class Edge(DocumentPart, frozen=True):
    source: End
    target: End
    type: EdgeType = "sequential"
    id: str | None = None
    condition: str | None = None

    @property
    def is_else(self) -> bool:
        return (self.condition or "").strip() == ELSE


class VariableDeclaration(DocumentPart, frozen=True):
    """A named slot of memory; its type is a key of `variables.TYPES`."""

    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*\\Z", max_length=100)]
    type: str = "any"
    default: Any = msgspec.UNSET

    @property
    def has_default(self) -> bool:
        return self.default is not msgspec.UNSET


class Alternative(DocumentPart, frozen=True):
    """A model that stands in for another. `options` stand over those of its provider."""

    ref: Id
    model: Id
    options: ModelOptions = NO_OPTIONS


class ModelRole(DocumentPart, frozen=True):
    """A language model by its role in the flow; `ref` names the provider that serves it, `options` stand over the
    provider's own."""

    role: Role
    ref: Id
    model: Id
    temperature: Number | None = None
    system_context: str | None = None
    fallback: tuple[Alternative, ...] = ()
    options: ModelOptions = NO_OPTIONS


class FlowDocument(msgspec.Struct, frozen=True):
    """A document whose every part could be read."""

    name: str
    version: str
    description: str
    nodes: list[Node]
    edges: list[Edge]
    variables: list[VariableDeclaration]
    models: list[ModelRole]
    publish_as_model: bool
    group_ids: list[str]
    slug: str  # the last part of the model's name; empty for one that is made from the flow's name
    instance_mode: InstanceMode
    entity_scope: EntityScope
    recognises_hidden_prompts: bool
    capabilities: list[str]
    tracing: bool
    test_before_deploy: bool
    tests: list[Any]  # read one by one in `expectations`: other tools may keep theirs here


T = TypeVar("T")


# Parts without which the rest of a document can still be checked.
_ROW: Final = re.compile(r"(variables|config\.core_identity\.models)\[\d+\]")


class Reader:
    """Reads a document part by part and keeps a finding for each part that has the wrong shape: reading it as a whole
    would stop at the first."""

    def __init__(self, document: dict[str, Json]) -> None:
        self.document = document
        self.findings: list[Diagnostic] = []

    def value(self, holder: dict[str, Json], key: str, kind: type[T] | object, default: T, path: str) -> T:
        """`holder[key]` as `kind`; the default when it is absent or of the wrong shape."""
        if key not in holder:
            return default
        # After a finding, any value will do: no program is built then.
        found: T | None = self.convert(holder[key], kind, path)
        return default if found is None else found

    def convert(self, value: Json, kind: object, path: str, **ids: str | None) -> Any:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as problem:
            self.findings.append(shape_error(problem, path, **ids))
            return None

    def items(self, holder: dict[str, Json], key: str, kind: type[T], path: str) -> list[T]:
        """The entries of a list that could be read; the others leave a finding each."""
        entries = holder.get(key)
        if entries is None:
            return []
        if not isinstance(entries, list):
            self.findings.append(error("invalid_shape", f"{shapes.place(path)}: it must be a list.", path))
            return []
        read = (self.convert(entry, kind, f"{path}[{i}]", **_ids(key, entry)) for i, entry in enumerate(entries))
        return [item for item in read if item is not None]

    def section(self, holder: dict[str, Json], key: str, path: str) -> dict[str, Json]:
        """An object inside the document; empty when it is absent."""
        found = holder.get(key)
        if found is None or isinstance(found, dict):
            return found or {}
        self.findings.append(error("invalid_shape", f"{shapes.place(path)}: it must be an object.", path))
        return {}


def _ids(key: str, entry: Json) -> dict[str, str | None]:
    name = entry.get("id") if isinstance(entry, dict) else None
    named = name if isinstance(name, str) else None
    return {"node": named} if key == "nodes" else {"edge": named} if key == "edges" else {}


def shape_error(problem: msgspec.ValidationError, path: str, **ids: str | None) -> Diagnostic:
    """The finding for a part that msgspec refused: msgspec's `$.a[…]` becomes a path in the document."""
    text, _, inner = str(problem).partition(" - at `$")
    full = path + inner.rstrip("`")
    return error("invalid_shape", f"{shapes.place(full, ids.get('node'))}: {shapes.explain(text)}.", full, **ids)


def read(document: object) -> tuple[FlowDocument | None, list[Diagnostic]]:
    """The typed document, and the findings that say which part has the wrong shape; None where nodes or edges, or lists
    as a whole, have it. A row of another list is left out alone, so that an empty new one hides no other finding."""
    if not isinstance(document, dict):
        return None, [error("invalid_shape", "A flow document is a JSON object with `nodes` and `edges`.")]
    # Before anything walks through the document: how large it is decides how long every other step takes.
    if oversize := list(_oversize(document)):
        return None, oversize
    if wrong := defect(document):
        path, what = wrong
        return None, [error("not_plain_data", f"`{path or 'The document'}` cannot be stored: {what}.", path)]
    reader = Reader(document)
    flow = _read(reader)
    is_usable = all(_ROW.match(finding.path) for finding in reader.findings)
    return (flow if is_usable else None), reader.findings


def _oversize(document: dict[str, Json]) -> Iterator[Diagnostic]:
    for key, limit in (("nodes", MAX_NODES), ("edges", MAX_EDGES), ("tests", MAX_TESTS)):
        entries = document.get(key)
        if isinstance(entries, list) and len(entries) > limit:
            yield error("too_large", f"A flow has at most {limit} {key}; split it into several flows.", key)


def _read(reader: Reader) -> FlowDocument:
    document = reader.document
    config = reader.section(document, "config", "config")
    identity = reader.section(config, "core_identity", "config.core_identity")
    meta = reader.section(config, "scaiflow_meta", "config.scaiflow_meta")
    metadata = reader.section(document, "metadata", "metadata")
    return FlowDocument(
        name=reader.value(document, "name", str, "", "name"),
        version=reader.value(document, "version", str, "", "version"),
        description=reader.value(metadata, "description", str | None, "", "metadata.description") or "",
        nodes=reader.items(document, "nodes", Node, "nodes"),
        edges=reader.items(document, "edges", Edge, "edges"),
        variables=reader.items(document, "variables", VariableDeclaration, "variables"),
        models=reader.items(identity, "models", ModelRole, "config.core_identity.models"),
        publish_as_model=reader.value(config, "publish_as_model", bool, False, "config.publish_as_model"),
        group_ids=reader.value(
            config, "model_visibility_group_ids", list[str], [], "config.model_visibility_group_ids"
        ),
        slug=reader.value(config, "slug", str, "", "config.slug"),
        instance_mode=_choice(reader, meta, "instance_mode", InstanceMode, "stateless"),
        entity_scope=_choice(reader, meta, "entity_scope", EntityScope, "user"),
        recognises_hidden_prompts=_choice(reader, meta, "recognise_hidden_prompts", bool, True),
        tracing=_choice(reader, meta, "tracing", bool, False),
        test_before_deploy=_choice(reader, meta, "test_before_deploy", bool, False),
        capabilities=reader.value(config, "capabilities", list[str], [], "config.capabilities"),
        tests=reader.value(document, "tests", list[Any] | None, [], "tests") or [],
    )


def _choice(reader: Reader, meta: dict[str, Json], key: str, kind: Any, default: Any) -> Any:
    return reader.value(meta, key, kind, default, f"config.scaiflow_meta.{key}")
