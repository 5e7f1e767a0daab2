"""The driver for Cores made from a flow: it runs their program in this process."""

from collections.abc import AsyncGenerator, Iterator

from scaicore.runtime.engine import calculate, execute
from scaicore.runtime.protocol import Event, RunRequest


class FlowDriver:
    """Runs a compiled program here."""

    def run(self, request: RunRequest) -> AsyncGenerator[Event, None]:
        """The events of the run; closing the iterator stops every node of it."""
        return execute(request)

    def calculate(self, request: RunRequest) -> Iterator[Event | None] | None:
        """The same events one after the other, where no node waits."""
        return None if request.program.waits else calculate(request)
