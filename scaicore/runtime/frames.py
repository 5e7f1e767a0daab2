"""How far a run has come: which edges have been decided, in the whole flow and in each region that a node runs.

A frame is one execution of a region: a turn of a loop, a branch of a parallel, or the flow itself. Frames and the
nodes that run them alternate: a frame lies within a `RegionRun`, which lies in a frame, and so on up to the flow.
"""

from dataclasses import dataclass, field

from scaicore.jsondata import Json
from scaicore.nodes.base import LoopPlan, ParallelPlan
from scaicore.nodes.node_run import NodeRun
from scaicore.runtime.linker import RuntimeNode


class Frame:
    """One execution of a region, or of the whole flow. `within` is the node that runs it, as the `number`th of its own
    regions; `active` counts the nodes in it that are ready, at work or parked."""

    __slots__ = ("active", "arrived", "last", "number", "region_number", "scope", "until", "within")

    def __init__(
        self, scope: dict[str, Json], until: float, within: "RegionRun | None" = None, number: int = 0
    ) -> None:
        self.scope = scope
        self.until = until
        self.within = within
        self.number = number
        self.region_number = 0 if within is None else within.node.inner[number].number
        self.active = 0
        # Index of a node → `(edges still undecided, whether one was taken)`, once the first of several has arrived.
        self.arrived: dict[int, tuple[int, bool]] = {}
        self.last: Json = None


@dataclass(slots=True)
class RegionRun:
    """A node that runs regions of its own. `cursor` counts those that began; `exits` are the arrivals outside of them,
    which count once all of them have ended."""

    frame: Frame
    node: RuntimeNode
    node_run: NodeRun
    items: list[Json] | None = None
    cursor: int = 0
    running: int = 0
    turns: list[Json] = field(default_factory=list)  # the last result of each
    branches: dict[str, Json] = field(default_factory=dict)  # the same by the id of each one's first node
    exits: list[tuple[int, bool]] = field(default_factory=list)
    is_queued: bool = False  # whether it is about to go on
    scope: dict[str, Json] | None = None  # of a while-loop's last turn

    @property
    def has_turns(self) -> bool:
        """Whether its regions are a loop's turns, each with a scope of its own."""
        return isinstance(self.node.plan, LoopPlan)

    def begin(self) -> list[Frame]:
        """The regions that begin now; none when all that may begin has begun."""
        plan = self.node.plan
        if isinstance(plan, LoopPlan):
            return [] if self.running else self._next_turn(plan)
        limit = plan.limit if isinstance(plan, ParallelPlan) and plan.limit else len(self.node.inner)
        count = min(limit - self.running, len(self.node.inner) - self.cursor)
        return [self._begun(self.frame.scope, self.cursor) for _ in range(count)]

    def end(self, frame: Frame) -> None:
        """Take the last result of a region that has ended."""
        self.running -= 1
        if self.has_turns:
            self.turns.append(frame.last)
            self.scope = frame.scope
        else:
            self.branches[self.node.inner[frame.number].name] = frame.last

    @property
    def result(self) -> Json:
        """A list of the turns' results, or an object of the branches' results in the document's order."""
        if self.has_turns:
            return self.turns
        # Branches end in any order; the result must not depend on which was faster.
        return {inner.name: self.branches[inner.name] for inner in self.node.inner}

    def _next_turn(self, plan: LoopPlan) -> list[Frame]:
        # A while-loop goes on with the names of its last turn, or its condition could never change. Each item of a
        # list begins with what was there before the loop.
        before = self.frame.scope if self.items is not None or self.scope is None else self.scope
        if self.cursor >= (plan.limit if self.items is None else len(self.items)):
            if self.items is None:
                self.node_run.warnings.append(f"The loop ended after its {plan.limit} turns, not by its condition.")
            return []
        if plan.condition is not None and not plan.condition.holds(before):
            return []
        item = self.cursor if self.items is None else self.items[self.cursor]
        return [self._begun({**before, plan.item_name: item, plan.index_name: self.cursor}, 0)]

    def _begun(self, scope: dict[str, Json], number: int) -> Frame:
        self.cursor += 1
        self.running += 1
        return Frame(scope, self.node_run.until, self, number)
