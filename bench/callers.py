"""Callers that keep calling, each at one surface, while something happens; and what became of their calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

# A call that takes longer is lost: nobody waits for it.
LOST_S = 60.0


@dataclass(frozen=True)
class Surface:
    """One way to call: `status` makes one call and gives the status of the answer."""

    name: str
    status: Callable[[], int]


@dataclass
class Tally:
    """What became of the calls: surface, when it began, seconds, status; the status of a lost one is 0."""

    calls: list[tuple[str, float, float, int]] = field(default_factory=list)

    def of(self, *names: str) -> Tally:
        """The calls of some surfaces alone."""
        return Tally([call for call in self.calls if call[0] in names])

    def between(self, start: float, end: float) -> Tally:
        """The calls that began in this time."""
        return Tally([call for call in self.calls if start <= call[1] < end])

    def count(self, *statuses: int) -> int:
        """How many ended with one of these."""
        return sum(call[3] in statuses for call in self.calls)

    @property
    def slowest_s(self) -> float:
        """The longest call."""
        return max((call[2] for call in self.calls), default=0.0)

    @property
    def p95_ms(self) -> float:
        """What 95 of 100 calls stayed under."""
        seconds = sorted(call[2] for call in self.calls)
        return seconds[int(len(seconds) * 0.95)] * 1000 if seconds else 0.0

    def __str__(self) -> str:
        sent, answered, refused, lost = len(self.calls), self.count(200), self.count(503), self.count(0)
        others = sent - answered - refused - lost
        return (
            f"{sent} sent, {answered} answered, {refused} refused (503), {lost} lost"
            + (f", {others} otherwise" if others else "")
            + f"; slowest {self.slowest_s:.2f} s"
        )


@contextmanager
def calling(surfaces: list[Surface], *, each: int = 2) -> Iterator[Tally]:
    """`each` callers at each of the surfaces, until the block ends and the last of them has its answer."""
    tally, ending = Tally(), threading.Event()

    def call_on(surface: Surface) -> None:
        while not ending.is_set():
            began = time.monotonic()
            try:
                status = surface.status()
            except requests.RequestException:
                status = 0
            tally.calls.append((surface.name, began, time.monotonic() - began, status))
            time.sleep(0.01)  # refusals come at once: a caller who asks again without a pause measures itself

    threads = [threading.Thread(target=call_on, args=[surface]) for surface in surfaces for _ in range(each)]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        ending.set()
        for thread in threads:
            thread.join()
