"""Graph questions about a flow: what follows what, what a node reaches, where a cycle is; all in linear time."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from scaicore.flow import Edge

Successors = Mapping[str, list[str]]


def successors(edges: Iterable[Edge]) -> Successors:
    """Node id → the nodes behind it, along the edges that order a run."""
    following: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        if edge.type != "data":
            following[edge.source.node].append(edge.target.node)
    return following


def reachable(start: str, following: Successors) -> set[str]:
    """The start and every node that a run can come to from it."""
    seen, queue = {start}, deque([start])
    while queue:
        for target in following.get(queue.popleft(), ()):
            if target not in seen:
                seen.add(target)
                queue.append(target)
    return seen


def topological_order(ids: Iterable[str], following: Successors) -> list[str]:
    """The nodes, each behind those that lead to it; those on or behind a cycle are left out."""
    # Kahn's algorithm.
    arrivals: dict[str, int] = dict.fromkeys(ids, 0)
    for targets in following.values():
        for target in targets:
            arrivals[target] += 1
    queue = deque(node_id for node_id, count in arrivals.items() if count == 0)
    done: list[str] = []
    while queue:
        done.append(queue.popleft())
        for target in following.get(done[-1], ()):
            arrivals[target] -= 1
            if arrivals[target] == 0:
                queue.append(target)
    return done


def find_cycle(ids: list[str], following: Successors) -> list[str]:
    """The nodes of one cycle in the order in which they follow each other; empty when there is none."""
    left = set(ids) - set(topological_order(ids, following))
    predecessor = {target: source for source in left for target in following.get(source, ()) if target in left}
    node_id = next((name for name in ids if name in left), None)
    if node_id is None:
        return []
    # Every node that is left has a predecessor that is left, too: whoever walks backwards long enough is on a cycle.
    seen: set[str] = set()
    while node_id not in seen:
        seen.add(node_id)
        node_id = predecessor[node_id]
    found = [node_id]
    while predecessor[found[-1]] != node_id:
        found.append(predecessor[found[-1]])
    return found[::-1]
