"""A flow as a picture, to look at without scripts: its nodes and edges, as far as the saved document can be read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, TypeVar

import msgspec

import scaicore
from scaicore.flow import Edge, Node

WIDTH, HEIGHT = 188, 60
MARGIN = 32
STEP_X, STEP_Y = WIDTH + 76, HEIGHT + 36
NODES_IN_ROW = 4
LONGEST_LABEL = 18
LONGEST_CONDITION = 28
SMALLEST = 0.6
MOST_NODES = 300
FARTHEST = 20_000
FAMILIES = ("entry", "llm", "logic", "data", "tool", "checkpoint", "hitl", "queue", "compute", "subflow")

Part = TypeVar("Part", bound=msgspec.Struct)
Place = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A node as it is drawn, with what is said about it. `is_idle`: the run that is shown did not come to it."""

    node: Node
    number: int
    x: float
    y: float
    findings: list[scaicore.Diagnostic]
    leads_to: list[Node] = field(default_factory=list)
    is_idle: bool = False

    @property
    def name(self) -> str:
        """The label, or the id of a node without one."""
        return self.node.label or self.node.id

    @property
    def short_name(self) -> str:
        """The name as far as the box holds it."""
        return shortened(self.name)

    @property
    def family(self) -> str:
        """The first word of the kind, which decides the colour."""
        first = self.node.type.partition("_")[0]
        return first if first in FAMILIES else "other"

    @property
    def severity(self) -> str:
        """`error`, `warning` or nothing: the worst that is said about the node."""
        said = {found.severity for found in self.findings}
        return "error" if "error" in said else "warning" if said else ""

    @property
    def spoken(self) -> str:
        """The box in words, for those who do not see it."""
        parts = [f"{self.name}, {self.node.type} node"]
        if self.leads_to:
            parts.append("leads to " + " and ".join(label(node) for node in self.leads_to))
        if self.severity:
            parts.append(f"has {self.severity}s")
        if self.is_idle:
            parts.append("did not run")
        return ", ".join(parts)

    @property
    def config(self) -> str:
        """The node's configuration for reading."""
        return json.dumps(self.node.config or {}, indent=2, ensure_ascii=False)


@dataclass(frozen=True)
class Line:
    """An edge as it is drawn: an SVG path, and the place of its condition, above the box that it leads to."""

    edge: Edge
    path: str
    x: float
    y: float

    @property
    def condition(self) -> str:
        """The condition as far as there is room for it."""
        return shortened(self.edge.condition or "", LONGEST_CONDITION)


@dataclass(frozen=True)
class Drawing:
    """Everything on the canvas, in units of one CSS pixel."""

    boxes: list[Box]
    lines: list[Line]
    width: int
    height: int
    left_out: int

    @property
    def least_width(self) -> int:
        """The width below which its texts could not be read."""
        return round(self.width * SMALLEST)


def draw(
    document: dict[str, Any], findings: Sequence[scaicore.Diagnostic], *, reached: Collection[str] | None = None
) -> Drawing:
    """The picture of `document`; parts that cannot be read are left out, the diagnostics speak of them. `reached`: the
    ids of the nodes that ran, where a run is shown."""
    readable = _readable(document.get("nodes"), Node)
    nodes = readable[:MOST_NODES]
    named = {node.id: node for node in reversed(nodes)}
    edges = [
        edge
        for edge in _readable(document.get("edges"), Edge)
        if edge.source.node in named and edge.target.node in named
    ]
    places = _written_places(nodes) or _places_in_rows(len(nodes))
    boxes = _boxes(nodes, edges, places, findings, reached)
    by_id = {box.node.id: box for box in reversed(boxes)}
    lines = _lines(edges, by_id)
    width = max((box.x for box in boxes), default=0) + WIDTH + MARGIN
    height = max((box.y for box in boxes), default=0) + HEIGHT + MARGIN
    return Drawing(boxes, lines, round(width), round(height), len(readable) - len(nodes))


def label(node: Node) -> str:
    """What a person calls the node."""
    return node.label or node.id


def shortened(text: str, longest: int = LONGEST_LABEL) -> str:
    """`text` cut to what fits in a box."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _readable(entries: object, kind: type[Part]) -> list[Part]:
    read = []
    for entry in entries if isinstance(entries, list) else []:
        try:
            read.append(msgspec.convert(entry, kind))
        except msgspec.ValidationError:
            continue
    return read


def _written_places(nodes: list[Node]) -> list[Place] | None:
    """The positions that the author chose, moved to the margin; None when they make no readable picture."""
    if not all(node.position and max(abs(node.position.x), abs(node.position.y)) < FARTHEST for node in nodes):
        return None
    places = [(float(node.position.x), float(node.position.y)) for node in nodes if node.position]
    if not places or _overlap(places):
        return None
    left, top = min(x for x, _ in places), min(y for _, y in places)
    return [(x - left + MARGIN, y - top + MARGIN) for x, y in places]


def _overlap(places: list[Place]) -> bool:
    return any(
        abs(one[0] - other[0]) < WIDTH and abs(one[1] - other[1]) < HEIGHT for one, other in combinations(places, 2)
    )


def _places_in_rows(count: int) -> list[Place]:
    """Row by row, in the order of the document."""
    return [
        (float(MARGIN + number % NODES_IN_ROW * STEP_X), float(MARGIN + number // NODES_IN_ROW * STEP_Y))
        for number in range(count)
    ]


def _boxes(
    nodes: list[Node],
    edges: list[Edge],
    places: list[Place],
    findings: Sequence[scaicore.Diagnostic],
    reached: Collection[str] | None,
) -> list[Box]:
    named = {node.id: node for node in reversed(nodes)}
    said: dict[str, list[scaicore.Diagnostic]] = defaultdict(list)
    for found in findings:
        said[found.node_id or ""].append(found)
    boxes = [
        Box(node, number, x, y, said.get(node.id, []), is_idle=reached is not None and node.id not in reached)
        for number, (node, (x, y)) in enumerate(zip(nodes, places, strict=True))
    ]
    by_id = {box.node.id: box for box in reversed(boxes)}
    for edge in edges:
        by_id[edge.source.node].leads_to.append(named[edge.target.node])
    return boxes


def _lines(edges: list[Edge], boxes: dict[str, Box]) -> list[Line]:
    """Every edge; conditions that lead to the same box stand above each other."""
    stacked: dict[str, int] = defaultdict(int)
    lines = []
    for edge in edges:
        target = boxes[edge.target.node]
        path = _path(edge, boxes[edge.source.node], target)
        lines.append(Line(edge, path, target.x + 2, target.y - 8 - 14 * stacked[edge.target.node]))
        stacked[edge.target.node] += bool(edge.condition)
    return lines


def _path(edge: Edge, source: Box, target: Box) -> str:
    """A curve from the right side of one box to the left side of another."""
    start_x, start_y = source.x + WIDTH, source.y + _port(source.node.outputs, edge.source.port)
    end_x, end_y = target.x, target.y + _port(target.node.inputs, edge.target.port)
    bend = max(36.0, abs(end_x - start_x) / 2)
    tip = end_x - 7
    return f"M{start_x:g} {start_y:g}C{start_x + bend:g} {start_y:g} {tip - bend:g} {end_y:g} {tip:g} {end_y:g}"


def _port(ports: Sequence[Any] | None, name: str | None) -> float:
    """How far below the top of its box a port sits: the ports share the side evenly."""
    names = [port.id for port in ports or ()]
    if name not in names:
        return HEIGHT / 2
    return HEIGHT * (names.index(name) + 1) / (len(names) + 1)
