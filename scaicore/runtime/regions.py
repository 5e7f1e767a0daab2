"""The parts of a flow that one node runs by itself: the body of a loop, the branches of a parallel.

A body is all that its loop's port `body` leads to. A branch is what a node behind a parallel leads to, as long as
nothing else leads there: where branches meet, what is behind them begins. Regions lie beside or inside each other.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from scaicore.nodes.logic_loop import BODY, DONE

LOOP: Final = "logic_loop"
PARALLEL: Final = "logic_parallel"
MAX_OWNERS: Final = 200


class Arc(NamedTuple):
    """An edge that orders a run."""

    source: str
    port: str | None
    target: str
    is_conditional: bool = False


class Region(NamedTuple):
    """The nodes that `owner` runs, and those of them where it begins."""

    owner: str
    firsts: tuple[str, ...]
    nodes: frozenset[str]


def find(kinds: Mapping[str, str], arcs: Sequence[Arc]) -> list[Region]:
    """Every region, the larger ones first, so that each stands behind those that it lies in."""
    owners = [node_id for node_id, kind in kinds.items() if kind in (LOOP, PARALLEL)]
    if not owners:
        return []
    ways = _ways(arcs)
    leading = Counter(arc.target for arc in arcs)
    found: list[Region] = []
    for owner in owners:
        if kinds[owner] == LOOP:
            firsts = _firsts(ways[owner], is_body=True)
            found += [Region(owner, firsts, _behind(firsts, ways))] if firsts else []
        else:
            branches = ((first, _own(owner, first, ways, leading)) for first in _firsts(ways[owner], is_body=False))
            found += [Region(owner, (first,), nodes) for first, nodes in branches if nodes]
    return sorted(found, key=lambda region: -len(region.nodes))


def innermost(regions: Iterable[Region]) -> dict[str, int]:
    """Node id → the number, from 1, of the innermost region that it lies in."""
    return {node_id: number for number, region in enumerate(regions, 1) for node_id in region.nodes}


def outermost(regions: Iterable[Region]) -> dict[str, str]:
    """Node id → the owner of the outermost region that it lies in."""
    found: dict[str, str] = {}
    for region in regions:
        for node_id in region.nodes:
            found.setdefault(node_id, region.owner)
    return found


def returning(kinds: Mapping[str, str], arcs: Sequence[Arc]) -> set[Arc]:
    """The arcs by which a body ends where its loop stands. They order nothing: a body's end is a way back by itself."""
    back: dict[str, set[str]] = {node_id: set() for node_id, kind in kinds.items() if kind == LOOP}
    if not back:
        return set()
    for arc in arcs:
        if arc.target in back:
            back[arc.target].add(arc.source)
    ways = _ways(arcs)
    found: set[Arc] = set()
    for loop, sources in back.items():
        if sources:
            body = _behind(_firsts(ways[loop], is_body=True), ways, but=loop)
            found.update(arc for source in sources & body for arc in ways[source] if arc.target == loop)
    return found


def leaks(kinds: Mapping[str, str], arcs: Sequence[Arc]) -> list[tuple[str, Arc]]:
    """`(loop, arc)` for every way into a loop's body that does not lead through the loop."""
    bodies = [region for region in find(kinds, arcs) if kinds[region.owner] == LOOP]
    return [
        (body.owner, arc)
        for body in bodies
        for arc in arcs
        if arc.target in body.nodes
        and arc.source not in body.nodes
        and not (arc.source == body.owner and arc.port == BODY)
    ]


def _ways(arcs: Iterable[Arc]) -> defaultdict[str, list[Arc]]:
    ways: defaultdict[str, list[Arc]] = defaultdict(list)
    for arc in arcs:
        ways[arc.source].append(arc)
    return ways


def _firsts(ways: Iterable[Arc], *, is_body: bool) -> tuple[str, ...]:
    """Where the regions of a node begin: behind a loop's port `body`, behind any but the port `done` of a parallel."""
    return tuple(dict.fromkeys(way.target for way in ways if (way.port == BODY if is_body else way.port != DONE)))


def _behind(firsts: Iterable[str], ways: Mapping[str, list[Arc]], but: str | None = None) -> frozenset[str]:
    """The nodes themselves and all that they lead to, without going through `but`."""
    seen = set(firsts) - {but}
    queue = deque(seen)
    while queue:
        for way in ways.get(queue.popleft(), ()):
            if way.target not in seen and way.target != but:
                seen.add(way.target)
                queue.append(way.target)
    return frozenset(seen)


def _own(owner: str, first: str, ways: Mapping[str, list[Arc]], leading: Counter[str]) -> frozenset[str]:
    """What `first` alone leads to; empty when something else than the owner leads to it, too."""
    inward = Counter({first: sum(way.target == first and way.port != DONE for way in ways[owner])})
    seen: set[str] = set()
    queue = deque([first] if inward[first] == leading[first] else [])
    while queue:
        node_id = queue.popleft()
        seen.add(node_id)
        for way in ways.get(node_id, ()):
            inward[way.target] += 1
            if inward[way.target] == leading[way.target]:
                queue.append(way.target)
    return frozenset(seen)
