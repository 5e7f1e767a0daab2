"""Which results a node can read: those of the nodes that every run through it may have finished before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from scaicore.compiler import graph
from scaicore.flow import FlowDocument
from scaicore.runtime.regions import Region

_LOOKED_AT: Final = 50  # makers of one name; beyond that, no gap is claimed


class Precedence:
    """What precedes what in a flow without cycles."""

    def __init__(self, flow: FlowDocument, following: graph.Successors, bodies: Iterable[Region]) -> None:
        self._bits = {node.id: 1 << index for index, node in enumerate(flow.nodes)}
        self._bodies = tuple(bodies)
        self._behind = self._follow(graph.topological_order(self._bits, following), following)
        self._ways = self._fork(flow)

    def _follow(self, ordered: list[str], following: graph.Successors) -> dict[str, int]:
        """Node id → the nodes behind it, one bit each: sets of them would grow with the square of the flow."""
        behind: dict[str, int] = {}
        for node_id in reversed(ordered):
            found = 0
            for target in following.get(node_id, ()):
                found |= self._bits[target] | behind[target]
            behind[node_id] = found
        return behind

    def _fork(self, flow: FlowDocument) -> list[list[int]]:
        """For each decision, the nodes along each of its ways."""
        ways: defaultdict[str, list[int]] = defaultdict(list)
        for edge in flow.edges:
            if edge.type == "conditional" and edge.target.node in self._behind:
                ways[edge.source.node].append(self._bits[edge.target.node] | self._behind[edge.target.node])
        return [found for found in ways.values() if len(found) > 1]

    def precedes(self, first: str, second: str) -> bool:
        """Whether some run comes to the second node by way of the first."""
        return bool(self._behind.get(first, 0) & self._bits[second])

    def exclude(self, first: str, second: str) -> bool:
        """Whether a decision takes a run to one of two nodes alone."""
        a, b = self._bits[first], self._bits[second]
        if self.precedes(first, second) or self.precedes(second, first):
            return False
        return any(_part(ways, a, b) for ways in self._ways)

    def find_gap(
        self, makers_of: Mapping[str, list[str]], reader: str, name: str, *, is_behind: bool = False
    ) -> str | None:
        """Why no run gives this node the name's value, as a sentence; `is_behind`: read on an edge out of the node.

        `makers_of`: name → the nodes that put it into the scope.
        """
        makers = makers_of.get(name)
        if not makers or self._sees(reader, makers, is_behind=is_behind):
            return None
        maker = makers[0]
        if maker == reader:
            return f"`{name}` is its own result, which does not exist before it has run."
        if self.precedes(reader, maker):
            return f"`{name}` comes from node `{maker}`, which runs later; it is empty here."
        if self.precedes(maker, reader):
            return f"`{name}` comes from node `{maker}` in the body of a loop, which nothing outside reads."
        return f"`{name}` comes from node `{maker}` on another branch; it is empty here unless that ran before."

    def _sees(self, reader: str, makers: list[str], *, is_behind: bool) -> bool:
        """Whether one of these nodes has put its result where the reader finds it."""
        if reader in makers and is_behind:
            return True
        closed = [body.nodes for body in self._bodies if reader not in body.nodes]
        # Thousands of nodes may share a name: looking at all of them for each reader would take long.
        return len(makers) > _LOOKED_AT or any(
            self.precedes(maker, reader) and not any(maker in nodes for nodes in closed) for maker in makers
        )


def _part(ways: Iterable[int], first: int, second: int) -> bool:
    """Whether each of two nodes is on some of these ways, and both on none."""
    on_first = [way for way in ways if way & first]
    return bool(on_first) and any(way & second for way in ways) and not any(way & second for way in on_first)
