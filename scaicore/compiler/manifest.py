"""The manifest: a Core's program for people and other tools, as YAML with the root key `core`."""

from typing import Any, Final

import msgspec
import yaml

from scaicore.jsondata import Json
from scaicore.program import Program, ProgramEdge, ProgramNode

# libyaml's emitter where PyYAML was built with it: ten times faster on large flows, the same text.
_SAFE: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SAFE):  # type: ignore[misc]  # chosen at import, see above
    def ignore_aliases(self, data: Json) -> bool:
        """Write equal parts out each time: `&id001` helps nobody who reads."""
        return True


def render(program: Program, *, core_id: str | None = None, slug: str | None = None, version: int | None = None) -> str:
    """The YAML text; a flow that was only compiled has no core id, slug or version yet."""
    return yaml.dump(
        {"core": _core(program, core_id, slug, version)}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120
    )


def _core(program: Program, core_id: str | None, slug: str | None, version: int | None) -> dict[str, Json]:
    built = msgspec.to_builtins(program)
    found = {
        "id": core_id,
        "slug": slug,
        "version": version,
        "name": program.name,
        "description": program.description,
        "flow_version": program.version,
        "scaiflow_meta": {
            "instance_mode": program.instance_mode,
            "entity_scope": program.entity_scope,
            **({"tracing": True} if program.tracing else {}),
        },
        "capabilities": list(program.capabilities),
        "remote": built["remote"],
        "publish_as_model": program.publish.as_model,
        "model_visibility_group_ids": list(program.publish.group_ids),
        "models": built["models"],
        "variables": built["variables"],
        "entry": program.entry,
        "nodes": [_node(node) for node in program.nodes],
        "edges": [_edge(edge) for edge in program.edges],
    }
    # A flow that was only compiled has no Core to speak of; an empty field would look like a fault.
    return {key: value for key, value in found.items() if value is not None}


def _node(node: ProgramNode) -> dict[str, Json]:
    return {"id": node.id, "type": node.kind, "label": node.label, "config": node.config}


def _edge(edge: ProgramEdge) -> dict[str, Json]:
    ends = {
        "source": {"node": edge.source, "port": edge.source_port},
        "target": {"node": edge.target, "port": edge.target_port},
    }
    condition = {} if edge.condition is None else {"condition": edge.condition}
    return {"id": edge.id, "type": edge.type, **ends, **condition}
