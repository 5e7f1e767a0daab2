"""Flow documents drawn in a line or two, and runs of them."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from scaicore import DRIVERS, Event, Finished, RunRequest, collect, compile, link

Document = dict[str, Any]
NO_PLUGINS: dict[str, Any] = {}


def node(node_id: str, kind: str, **config: Any) -> Document:
    return {"id": node_id, "type": kind, "config": config}


def entry(node_id: str = "entry") -> Document:
    return node(node_id, "entry_api")


def says(node_id: str, template: str, **config: Any) -> Document:
    return node(node_id, "llm_rigid", template=template, **config)


def edge(source: str, target: str, condition: str | None = None) -> Document:
    """`edge("a", "b")`, `edge("a", "b", "else")`; ports as in `edge("a.out", "b.in")`."""
    ends = [dict(zip(("node", "port"), end.split("."), strict=False)) for end in (source, target)]
    drawn = {"id": f"{source}-{target}", "type": "sequential", "source": ends[0], "target": ends[1]}
    return drawn if condition is None else {**drawn, "type": "conditional", "condition": condition}


def data(source: str, target: str) -> Document:
    return {**edge(source, target), "id": f"{source}~{target}", "type": "data"}


def flow(*parts: Document, variables: list[Document] | None = None, **config: Any) -> Document:
    """A document of nodes and edges in any order."""
    return {
        "name": "Drawn",
        "version": "1.0.0",
        "nodes": [part for part in parts if "source" not in part],
        "edges": [part for part in parts if "source" in part],
        "variables": variables or [],
        "config": config,
    }


def chain(*nodes: Document, **rest: Any) -> Document:
    """Nodes one behind the other."""
    edges = [edge(before["id"], after["id"]) for before, after in pairwise(nodes)]
    return flow(*nodes, *edges, **rest)


def variable(name: str, kind: str, **rest: Any) -> Document:
    return {"name": name, "type": kind, **rest}


def codes(document: object, **options: Any) -> list[str]:
    return [diagnostic.code for diagnostic in compile(document, **options).diagnostics]


def request(
    document: Document, given: Document | None = None, plugins: Mapping[str, Any] = NO_PLUGINS, **rest: Any
) -> RunRequest:
    compilation = compile(document, providers={"house", "attic"}, plugins=plugins)
    assert compilation.program, compilation.diagnostics
    return RunRequest(program=link(compilation.program), input=given or {"message": "hello"}, **rest)


async def run(document: Document, given: Document | None = None, **rest: Any) -> Finished:
    return await collect(DRIVERS["flow"].run(request(document, given, **rest)))


async def answer(document: Document, given: Document | None = None, **rest: Any) -> Any:
    return (await run(document, given, **rest)).output["response"]


async def events(document: Document, given: Document | None = None, **rest: Any) -> list[Event]:
    return [event async for event in DRIVERS["flow"].run(request(document, given, **rest))]
