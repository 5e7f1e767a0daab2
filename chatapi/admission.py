"""Who is let in while many call: at most so many runs at once, of the process, of a tenant and of a key.

A call for which the process has no room waits in line, for a moment and with few others; beyond that it is refused at
once, before anything is looked at, so that the calls that were let in keep their pace. A tenant or key that has as many
runs as it may is refused without waiting: others are not to stand behind it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

from chatapi.errors import Overloaded, TooManyRuns
from publishing.process.cached_settings import settings
from publishing.process.per_loop import PerLoop
from publishing.registry import AllowedCall


class Admission:
    """The runs of one event loop, and who waits for one of them to end."""

    def __init__(self) -> None:
        self.running = 0
        self.shares: dict[str, int] = {}
        self._line: deque[asyncio.Future[None]] = deque()
        self._gone = 0  # those in the line who wait no longer

    @property
    def waiting(self) -> int:
        """How many calls stand in line."""
        return len(self._line) - self._gone

    async def enter(self) -> None:
        """Take a place, at once or when it is this call's turn; `Overloaded` when that takes too long."""
        if self.running < settings.MAX_RUNS:
            self.running += 1
            return
        if self.waiting >= settings.MAX_QUEUED:
            raise Overloaded
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._line.append(turn)
        timer = loop.call_later(settings.QUEUE_S, _refuse, turn)
        try:
            await turn
        except BaseException:
            if turn.cancelled() or turn.exception() is not None:
                self._gone += 1
            else:
                self.leave()  # the place was given to somebody who has just left
            raise
        finally:
            timer.cancel()

    def leave(self) -> None:
        """Give the place to whoever has waited longest."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
            self._gone -= 1
        self.running -= 1


class Place:
    """A place among the runs of this process. Whoever has it leaves it, best by `with`."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._shares: list[str] = []
        self._is_handed_over = False

    def __enter__(self) -> Self:
        """It was entered before."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it, unless somebody else has taken it over."""
        if not self._is_handed_over:
            self.leave()

    def assign(self, caller: AllowedCall) -> None:
        """Count it among those of the caller's tenant and key; `TooManyRuns` when either has as many as it may."""
        if caller.key_id:
            self._take(caller.key_id, settings.MAX_RUNS_PER_KEY)
        # No tenant is called as a key is: their names have no underscores.
        self._take(caller.tenant_id, settings.MAX_RUNS_PER_TENANT)

    def hand_over(self) -> Callable[[], None]:
        """Keep it beyond the block: whoever gets this leaves it by calling that once."""
        self._is_handed_over = True
        return self.leave

    def leave(self) -> None:
        """Let the next one in."""
        shares = self._admission.shares
        for share in self._shares:
            if (left := shares[share] - 1) > 0:
                shares[share] = left
            else:
                del shares[share]
        self._shares = []
        self._admission.leave()

    def _take(self, share: str, most: int) -> None:
        taken = self._admission.shares.get(share, 0)
        if taken >= most:
            raise TooManyRuns
        self._admission.shares[share] = taken + 1
        self._shares.append(share)


def _refuse(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(Overloaded())


_admissions = PerLoop(Admission)


async def enter() -> Place:
    """A place for one call, once there is room; `Overloaded` when there is none for too long."""
    admission = _admissions.current()
    await admission.enter()
    return Place(admission)


def figures() -> tuple[int, int]:
    """How many runs go on in this process, and how many calls wait for one of them to end."""
    admission = _admissions.current()
    return admission.running, admission.waiting
