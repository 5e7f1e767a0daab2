"""One node of a flow, cut out to be run alone on what the others gave before.

It becomes a flow of its own behind the entry, whose input holds the results of the others under their names: so it
reads what it would read in the whole flow, and is checked and run as every flow is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import scaicore
from identity.errors import Invalid, Problem

Document = dict[str, Any]
ENTRY: Final[Document] = {"id": "entry", "type": "entry_api"}


def cut_out(document: Document, node_id: str) -> Document:
    """The document with the entry, this node, and the tools that its model calls. `Invalid` where there is none."""
    nodes = _parts(document, "nodes")
    wanted = next((node for node in nodes if node.get("id") == node_id), None)
    if wanted is None:
        raise Invalid("There is no such node.", [Problem("node", "Send the id of a node of the flow.")])
    entry = next((node for node in nodes if node.get("type") == ENTRY["type"]), ENTRY)
    tools = {tool.get("node") for tool in _parts(_config(wanted), "tools")}
    kept = [node for node in nodes if node is wanted or (node.get("id") in tools and node is not entry)]
    edge = {"id": "alone", "type": "sequential", "source": {"node": entry.get("id")}, "target": {"node": node_id}}
    config = {**_config(document), "publish_as_model": False, "capabilities": []}
    return {
        **document,
        "nodes": kept if wanted is entry else [entry, *kept],
        "edges": [] if scaicore.entered_by(str(wanted.get("type"))) else [edge],
        "config": config,
        "tests": [],
    }


def scope_for(document: Document, node_id: str, results: Mapping[str, Any]) -> dict[str, Any]:
    """What the other nodes gave, by the names under which the node finds it: ids, bindings, and ports of data edges."""
    scope = dict(results)
    for node in _parts(document, "nodes"):
        binding = _config(node).get("result_binding")
        if isinstance(binding, str) and binding and node.get("id") in results:
            scope[binding] = results[node["id"]]
    for edge in _parts(document, "edges"):
        source, target = edge.get("source"), edge.get("target")
        if edge.get("type") != "data" or not (isinstance(source, dict) and isinstance(target, dict)):
            continue
        if target.get("node") == node_id and source.get("node") in results and isinstance(target.get("port"), str):
            result = results[source["node"]]
            scope[target["port"]] = result.get(source.get("port"), result) if isinstance(result, dict) else result
    scope.pop(node_id, None)
    return scope


def _parts(holder: Document, name: str) -> list[Document]:
    entries = holder.get(name)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _config(holder: Document) -> Document:
    config = holder.get("config")
    return config if isinstance(config, dict) else {}
