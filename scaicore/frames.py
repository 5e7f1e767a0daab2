"""Where a run stands: which branches have arrived where, in the whole flow and in each region that a node runs."""

from dataclasses import dataclass, field

from scaicore.jsondata import Json
from scaicore.link import Stage
from scaicore.nodes.base import Fan, Loop, Visit


class Frame:
    """One running of a region, or of the whole flow. `active` counts its nodes that are ready, at work or parked."""

    __slots__ = ("active", "arrived", "home", "last", "scope", "until", "within")

    def __init__(self, scope: dict[str, Json], until: float, home: int = 0, within: "Opened | None" = None) -> None:
        self.scope = scope
        self.until = until
        self.home = home
        self.within = within
        self.active = 0
        self.arrived: dict[int, tuple[int, bool]] = {}
        self.last: Json = None


@dataclass(slots=True)
class Opened:
    """A node that runs regions of its own. `cursor` counts those that began; `exits` are the arrivals outside of them,
    which count once all of them have ended."""

    frame: Frame
    stage: Stage
    visit: Visit
    items: list[Json] | None = None
    cursor: int = 0
    running: int = 0
    results: dict[str, Json] = field(default_factory=dict)
    exits: list[tuple[int, bool]] = field(default_factory=list)
    is_called: bool = False  # whether it is about to go on
    scope: dict[str, Json] | None = None  # of a while-loop's last turn

    @property
    def has_turns(self) -> bool:
        """Whether its regions are a loop's turns, each with a scope of its own."""
        return isinstance(self.stage.plan, Loop)

    def begin(self) -> list[Frame]:
        """The regions that begin now; none when all that may begin has begun."""
        plan = self.stage.plan
        if isinstance(plan, Loop):
            return [] if self.running else self._turn(plan)
        limit = plan.limit if isinstance(plan, Fan) and plan.limit else len(self.stage.inner)
        count = min(limit - self.running, len(self.stage.inner) - self.cursor)
        return [self._started(self.frame.scope, self.cursor) for _ in range(count)]

    def end(self, frame: Frame) -> None:
        """A region has ended with its last result."""
        self.running -= 1
        self.results[self._name(frame)] = frame.last
        if self.has_turns:
            self.scope = frame.scope

    @property
    def result(self) -> Json:
        """A list of the turns' results, or an object of the branches' results in the document's order."""
        if self.has_turns:
            return list(self.results.values())
        names = (str(number) for number in range(len(self.stage.inner)))
        return {self.stage.inner[int(name)].name: self.results[name] for name in names}

    def _turn(self, plan: Loop) -> list[Frame]:
        before = self.frame.scope if self.items is not None or self.scope is None else self.scope
        if self.cursor >= (plan.limit if self.items is None else len(self.items)):
            if self.items is None:
                self.visit.warnings.append(f"The loop ended after its {plan.limit} turns, not by its condition.")
            return []
        if plan.condition is not None and not plan.condition.holds(before):
            return []
        item = self.cursor if self.items is None else self.items[self.cursor]
        return [self._started({**before, plan.item_name: item, plan.index_name: self.cursor}, 0)]

    def _started(self, scope: dict[str, Json], number: int) -> Frame:
        self.cursor += 1
        self.running += 1
        return Frame(scope, self.visit.until, self.stage.inner[number].home, self)

    def _name(self, frame: Frame) -> str:
        if self.has_turns:
            return str(self.cursor)
        return str(next(n for n, inner in enumerate(self.stage.inner) if inner.home == frame.home))
