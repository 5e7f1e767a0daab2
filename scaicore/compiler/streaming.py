"""Which nodes may send their text while they write it: those whose text is the response for certain, whichever way a
run takes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from scaicore import graph
from scaicore.graph import Successors
from scaicore.program import RESPONSE, ProgramEdge, ProgramNode
from scaicore.runtime import regions
from scaicore.runtime.linker import arcs
from scaicore.runtime.regions import LOOP, Arc

_ASKING: Final = frozenset({"checkpoint", "hitl_decision"})


def find(nodes: Sequence[ProgramNode], edges: Sequence[ProgramEdge]) -> tuple[str, ...]:
    """The ids of these nodes, for a program's steps and edges.

    What a loop or a parallel runs stands for one node, which is no responder. Before a checkpoint nobody streams: the
    turn may end there with its question.
    """
    kinds = {node.id: node.kind for node in nodes}
    ways = arcs(edges)
    found = regions.find(kinds, ways)
    owner = regions.outermost(found)
    looped = {node_id for region in found if kinds[region.owner] == LOOP for node_id in region.nodes}
    binding = {node.id for node in nodes if RESPONSE in (node.id, node.config.get("result_binding"))}
    inner = binding & owner.keys()
    if inner & looped or (inner and len(binding) > 1):
        return ()
    following, has_fork = _outer(ways, owner)
    if inner:
        certain: tuple[str, ...] = tuple(inner)
    else:
        ids = [node_id for node_id in kinds if node_id not in owner]
        certain = _certain(graph.order(ids, following), following, binding, has_fork=has_fork)
    return tuple(node_id for node_id in certain if node_id not in _before_questions(kinds, ways, has_fork))


def _outer(ways: Iterable[Arc], owner: dict[str, str]) -> tuple[Successors, bool]:
    """What follows what when each region stands for its owner, and whether ways run side by side there."""
    following: defaultdict[str, list[str]] = defaultdict(list)
    sequential: defaultdict[str, list[str]] = defaultdict(list)
    for way in ways:
        source, target = owner.get(way.source, way.source), owner.get(way.target, way.target)
        if source == target or (source != way.source and target in following[source]):
            continue
        following[source].append(target)
        if not way.is_conditional:
            sequential[source].append(target)
    return following, any(len(targets) > 1 for targets in sequential.values())


def _before_questions(kinds: dict[str, str], ways: Iterable[Arc], has_fork: bool) -> set[str]:
    """The nodes behind which, or beside which, a checkpoint may be asked."""
    asking = {node_id for node_id, kind in kinds.items() if kind in _ASKING}
    if not asking:
        return set()
    if has_fork or any(kind in (LOOP, regions.PARALLEL) for kind in kinds.values()):
        return set(kinds)
    backwards: defaultdict[str, list[str]] = defaultdict(list)
    for way in ways:
        backwards[way.target].append(way.source)
    return set().union(*(graph.reachable(node_id, backwards) for node_id in asking))


def _certain(order_: list[str], following: Successors, binding: set[str], *, has_fork: bool) -> tuple[str, ...]:
    """The nodes whose text is the response for certain, whichever way a run takes: only they may stream.

    `binding` are the nodes whose result is bound to `response`. Where branches run side by side, only a sole binder or,
    when nothing binds, a sole last node is certain; otherwise every way has its own.
    """
    last = [node_id for node_id in order_ if not following.get(node_id)]
    sole = list(binding) if binding else last
    if len(sole) == 1:
        return tuple(sole)
    if has_fork:
        return ()
    below = _touching(reversed(order_), following, binding)
    above = _behind(order_, following, binding)
    certain = [n for n in order_ if (n in binding and n not in below) or (n in last and n not in binding | above)]
    return tuple(certain)


def _touching(backwards: Iterable[str], following: Successors, marked: set[str]) -> set[str]:
    """The nodes with a marked node somewhere behind them."""
    found: set[str] = set()
    for node_id in backwards:
        if any(target in marked or target in found for target in following.get(node_id, ())):
            found.add(node_id)
    return found


def _behind(forwards: Iterable[str], following: Successors, marked: set[str]) -> set[str]:
    """The nodes that stand somewhere behind a marked node."""
    found: set[str] = set()
    for node_id in forwards:
        if node_id in marked or node_id in found:
            found.update(following.get(node_id, ()))
    return found
