"""One run: its scope, its memory, its bounds, and which branches have arrived where."""

import time
from collections import deque
from collections.abc import Iterable
from typing import Final

from scaicore import variables
from scaicore.errors import RunFailed, RunTimedOut
from scaicore.jsondata import Json, compact, size
from scaicore.link import Branch, Feed, Runnable, Stage
from scaicore.nodes.base import Visit
from scaicore.protocol import Finished, NodeFinished, RunRequest, Usage, response_text

MAX_STEPS: Final = 10_000
MAX_HELD: Final = 64_000_000  # characters of all results together
MAX_STATE: Final = 1_048_576  # bytes of JSON
RESPONSE: Final = "response"


class Run:
    """The changing part of a run; the program itself never changes."""

    __slots__ = (
        "_arrived", "_bound", "_deadline", "_held", "_last", "_request", "_spent",
        "ready", "runnable", "scope", "spoken", "state", "steps",
    )  # fmt: skip

    def __init__(self, request: RunRequest) -> None:
        self.runnable = request.program
        self.state = _initial_state(self.runnable, request.state)
        self.scope = _initial_scope(self.runnable, request, self.state)
        self.ready = deque((self.runnable.entry,))
        self.steps = 0
        self.spoken: list[str] = []
        self._request = request
        self._deadline = time.monotonic() + request.deadline_s
        self._held = 0
        self._arrived: dict[int, tuple[int, bool]] = {}
        self._bound: tuple[Json, str] | None = None
        self._last: tuple[Json, str] = (None, "stop")
        self._spent: Usage | None = None

    def remaining(self) -> float:
        """Seconds to the deadline; RunTimedOut when there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise RunTimedOut
        return left

    def enter(self) -> tuple[Stage, Visit]:
        """The next node that is ready, once the bounds allow it."""
        stage = self.runnable.stages[self.ready.popleft()]
        now = time.monotonic()
        if now >= self._deadline:
            raise RunTimedOut
        until = self._deadline if stage.timeout_s is None else min(self._deadline, now + stage.timeout_s)
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise RunFailed("too_many_steps", stage.id)
        scope = self.scope | _fed(stage.feeds, self.scope) if stage.feeds else self.scope
        return stage, Visit(scope, self.state, self._request.input, self._request.services, now, until)

    def leave(self, stage: Stage, visit: Visit, result: Json) -> NodeFinished:
        """Put a node's result into the scope and make ready what comes next."""
        self._keep(stage, result, visit.finish_reason)
        taken = self._choose(stage)
        if result is None and taken is not None:
            result = taken.edge_id
            self._keep(stage, result, visit.finish_reason)
        if visit.prompt_tokens is not None:
            self._spend(visit)
        self._follow(stage, taken)
        duration_ms = (time.monotonic() - visit.started_at) * 1000
        return NodeFinished(stage.id, stage.kind, duration_ms, result, tuple(visit.warnings))

    def finish(self) -> Finished:
        """The run's last event; RunFailed when the memory grew too large."""
        if self.runnable.keeps_memory and len(compact(self.state).encode(errors="surrogatepass")) > MAX_STATE:
            raise RunFailed("state_too_large")
        output, finish_reason = self._output()
        if self.spoken and not response_text(output).startswith("".join(self.spoken)):
            raise RunFailed  # what the client has read is not what the flow answers
        return Finished(output, self._spent, self.state, finish_reason)

    def _choose(self, stage: Stage) -> Branch | None:
        """The branch that the node takes; None for a node without conditional edges."""
        for branch in stage.branches:
            if branch.condition is None or branch.condition.holds(self.scope):
                return branch
        if stage.branches:
            raise RunFailed("no_branch")
        return None

    def _follow(self, stage: Stage, taken: Branch | None) -> None:
        for target in stage.onward:
            self._arrive(target, True)
        for branch in stage.branches:
            self._arrive(branch.target, branch is taken)

    def _arrive(self, target: int, is_live: bool) -> None:
        """An edge was taken, or never will be. A node is ready when all its edges are decided and one was taken; a node
        that none will reach passes that on to the nodes behind it."""
        pending = [(target, is_live)]
        while pending:
            position, live = pending.pop()
            stage = self.runnable.stages[position]
            if stage.arrivals > 1:
                left, any_live = self._arrived.get(position, (stage.arrivals, False))
                live = live or any_live
                self._arrived[position] = (left - 1, live)
                if left > 1:
                    continue
            if live:
                self.ready.append(position)
            else:
                pending.extend((behind, False) for behind in stage.onward)
                pending.extend((branch.target, False) for branch in stage.branches)

    def _keep(self, stage: Stage, result: Json, finish_reason: str) -> None:
        if result is not self._request.input:
            self._held += size(result, MAX_HELD)
        if self._held > MAX_HELD:
            raise RunFailed("too_much_data")
        self.scope[stage.id] = result
        self._last = (result, finish_reason)
        if stage.binding is not None:
            self.scope[stage.binding] = result
        if RESPONSE in (stage.binding, stage.id):
            self._bound = self._last

    def _spend(self, visit: Visit) -> None:
        so_far = self._spent or Usage(0, 0)
        self._spent = Usage(
            so_far.prompt_tokens + (visit.prompt_tokens or 0),
            so_far.completion_tokens + (visit.completion_tokens or 0),
        )

    def _output(self) -> tuple[dict[str, Json], str]:
        result, finish_reason = self._bound or self._last
        if self._bound is None and isinstance(result, dict) and RESPONSE in result:
            return result, finish_reason
        return {RESPONSE: result}, finish_reason


def _initial_state(runnable: Runnable, persisted: dict[str, Json]) -> dict[str, Json]:
    """The defaults, then what was persisted; a value that the present version declares otherwise starts anew."""
    state = dict(runnable.defaults)
    if runnable.keeps_memory and persisted:
        for name, type_name in runnable.types.items():
            if name in persisted and variables.fits(persisted[name], type_name):
                state[name] = persisted[name]
    return state


def _initial_scope(runnable: Runnable, request: RunRequest, state: dict[str, Json]) -> dict[str, Json]:
    """The input under its own names. A caller cannot lay anything under the name of a node that has not run."""
    scope = dict(request.input)
    if not runnable.made.isdisjoint(scope):
        scope = {name: value for name, value in scope.items() if name not in runnable.made}
    scope["state"] = state
    if request.entity_id is not None:
        scope["entity_id"] = request.entity_id
    return scope


def _fed(feeds: Iterable[Feed], scope: dict[str, Json]) -> dict[str, Json]:
    """What data edges bring: the source's result, or the field of it that bears the source port's name."""
    values = {}
    for feed in feeds:
        result = scope.get(feed.source)
        values[feed.port] = result.get(feed.source_port, result) if isinstance(result, dict) else result
    return values
