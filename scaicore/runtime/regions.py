"""The parts of a flow that one node runs by itself: the body of a loop, the branches of a parallel.

A body is everything that its port leads to. A branch is what a node behind a parallel leads to, as long as nothing
else leads there: where branches meet, what is behind the parallel begins. Regions are either disjoint or nested.

`owners` says which nodes run regions, and which ones: node id → `LoopBody` or `Branches`, as their kinds declare it.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from scaicore.nodes.base import Branches, LoopBody, Regions

MAX_OWNERS: Final = 200  # each walks through the edges of its own: nested in each other, all of them through all

Owners = Mapping[str, Regions]


class Arc(NamedTuple):
    """An edge that orders a run."""

    source: str
    port: str | None
    target: str
    is_conditional: bool = False


class Region(NamedTuple):
    """The nodes that `owner` runs, and those of them where it begins; `is_body` when they run again and again."""

    owner: str
    firsts: tuple[str, ...]
    nodes: frozenset[str]
    is_body: bool


def find(owners: Owners, arcs: Sequence[Arc]) -> list[Region]:
    """Every region, the larger ones first, so that each comes after those that it lies in."""
    if not owners:
        return []
    outgoing = _outgoing(arcs)
    incoming = Counter(arc.target for arc in arcs)
    found: list[Region] = []
    for owner, regions in owners.items():
        firsts = _firsts(outgoing[owner], regions)
        if isinstance(regions, Branches):
            branches = ((first, _branch(owner, first, regions, outgoing, incoming)) for first in firsts)
            found += [Region(owner, (first,), nodes, is_body=False) for first, nodes in branches if nodes]
        elif firsts:
            found.append(Region(owner, firsts, _behind(firsts, outgoing), is_body=True))
    # Nested regions never have the same size: the inner one lacks at least its owner.
    return sorted(found, key=lambda region: -len(region.nodes))


def innermost(regions: Iterable[Region]) -> dict[str, int]:
    """Node id → the number, from 1, of the innermost region that it lies in."""
    # The larger regions come first, so the last one that names a node is the innermost.
    return {node_id: number for number, region in enumerate(regions, 1) for node_id in region.nodes}


def outermost(regions: Iterable[Region]) -> dict[str, str]:
    """Node id → the owner of the outermost region that it lies in."""
    found: dict[str, str] = {}
    for region in regions:
        for node_id in region.nodes:
            found.setdefault(node_id, region.owner)
    return found


def returning(owners: Owners, arcs: Sequence[Arc]) -> set[Arc]:
    """The arcs that lead from a body back to its loop. They order nothing: the end of a body goes back by itself."""
    loops = {owner: regions for owner, regions in owners.items() if isinstance(regions, LoopBody)}
    if not loops:
        return set()
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for arc in arcs:
        if arc.target in loops:
            sources[arc.target].add(arc.source)
    outgoing = _outgoing(arcs)
    found: set[Arc] = set()
    for loop, leading in sources.items():
        # Without going through the loop itself, or what is behind it would count as its body.
        body = _behind(_firsts(outgoing[loop], loops[loop]), outgoing, but=loop)
        found.update(arc for source in leading & body for arc in outgoing[source] if arc.target == loop)
    return found


def leaks(owners: Owners, arcs: Sequence[Arc]) -> list[tuple[str, Arc]]:
    """`(loop, arc)` for every way into a loop's body that does not lead through the loop."""
    return [
        (body.owner, arc)
        for body in find(owners, arcs)
        if body.is_body
        for arc in arcs
        if arc.target in body.nodes and arc.source not in body.nodes and not _enters(arc, body.owner, owners)
    ]


def _enters(arc: Arc, owner: str, owners: Owners) -> bool:
    return arc.source == owner and _leads_inside(arc, owners[owner])


def _leads_inside(arc: Arc, regions: Regions) -> bool:
    """Whether an arc out of a node leads into a region of its own."""
    return arc.port == regions.port if isinstance(regions, LoopBody) else arc.port != regions.done


def _outgoing(arcs: Iterable[Arc]) -> defaultdict[str, list[Arc]]:
    outgoing: defaultdict[str, list[Arc]] = defaultdict(list)
    for arc in arcs:
        outgoing[arc.source].append(arc)
    return outgoing


def _firsts(outgoing: Iterable[Arc], regions: Regions) -> tuple[str, ...]:
    """Where the regions of a node begin, each node once."""
    return tuple(dict.fromkeys(arc.target for arc in outgoing if _leads_inside(arc, regions)))


def _behind(firsts: Iterable[str], outgoing: Mapping[str, list[Arc]], but: str | None = None) -> frozenset[str]:
    """The nodes themselves and all that they lead to, without going through `but`."""
    seen = set(firsts) - {but}
    queue = deque(seen)
    while queue:
        for arc in outgoing.get(queue.popleft(), ()):
            if arc.target not in seen and arc.target != but:
                seen.add(arc.target)
                queue.append(arc.target)
    return frozenset(seen)


def _branch(
    owner: str, first: str, regions: Branches, outgoing: Mapping[str, list[Arc]], incoming: Counter[str]
) -> frozenset[str]:
    """What `first` alone leads to; empty when something else than the owner leads to it, too.

    Like a topological sort: a node belongs to the branch once as many edges have come from the branch as lead to it.
    """
    counted = Counter({first: sum(arc.target == first and _leads_inside(arc, regions) for arc in outgoing[owner])})
    seen: set[str] = set()
    queue = deque([first] if counted[first] == incoming[first] else [])
    while queue:
        node_id = queue.popleft()
        seen.add(node_id)
        for arc in outgoing.get(node_id, ()):
            counted[arc.target] += 1
            if counted[arc.target] == incoming[arc.target]:
                queue.append(arc.target)
    return frozenset(seen)
