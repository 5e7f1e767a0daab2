"""What one request may use up in all of its runs together, whatever starts them: branches, loops, retries, chains."""

import asyncio
import time
from collections import defaultdict
from typing import Final, NoReturn

from scaicore.errors import RunFailed
from scaicore.runtime.protocol import DEADLINE_S

MAX_STEPS: Final = 10_000  # nodes
MAX_HELD: Final = 64_000_000  # characters of all results
MAX_RUNS: Final = 200
MAX_TOKENS: Final = 1_000_000
AT_ONCE: Final = 8  # Cores called at the same time on one level


class RequestBudget:
    """The counts of one request. Its first run makes it, and every run that follows from that one shares it.

    A bound once crossed stays crossed: no fallback, retry or branch goes on behind it.
    """

    __slots__ = ("_held", "_max_runs", "_max_tokens", "_refused", "_runs", "_slots", "_steps", "_tokens", "until")

    def __init__(
        self, *, deadline_s: float = DEADLINE_S, max_runs: int = MAX_RUNS, max_tokens: int = MAX_TOKENS
    ) -> None:
        self.until = time.monotonic() + deadline_s  # by the monotonic clock
        self._max_runs = max_runs
        self._max_tokens = max_tokens
        self._steps = 0
        self._held = 0
        self._tokens = 0
        self._runs = 1
        self._refused: str | None = None
        # A slot for each level: a run that waits for another one keeps its own, and never needs it again below.
        self._slots: defaultdict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))

    def check(self) -> None:
        """RunFailed when a bound was crossed before."""
        if self._refused is not None:
            raise RunFailed(self._refused)

    def take_step(self) -> None:
        """Count one node; RunFailed when there were too many, or when another bound was crossed."""
        self._steps += 1
        if self._steps > MAX_STEPS or self._refused is not None:
            self._refuse("too_many_steps")

    def hold(self, characters: int) -> None:
        """Count the characters of a result."""
        self._held += characters
        if self._held > MAX_HELD:
            self._refuse("too_much_data")

    def spend(self, tokens: int) -> None:
        """Count tokens that a model reported."""
        self._tokens += tokens
        if self._tokens > self._max_tokens:
            self._refuse("too_many_tokens")

    def start_run(self) -> None:
        """Count the run of another Core."""
        self.check()
        self._runs += 1
        if self._runs > self._max_runs:
            self._refuse("too_many_runs")

    def slot(self, depth: int) -> asyncio.Semaphore:
        """What a run at this depth holds while it goes on, so that one request cannot crowd out the others."""
        return self._slots[depth]

    def _refuse(self, reason: str) -> NoReturn:
        self._refused = self._refused or reason
        raise RunFailed(self._refused)
