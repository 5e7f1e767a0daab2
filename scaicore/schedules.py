"""Schedules: which nodes of a program begin a run by themselves, and when."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from scaicore.language import cron
from scaicore.nodes import entered_by
from scaicore.nodes.entry import EntrySchedule, Missed
from scaicore.program import Program


class ProgramSchedule(NamedTuple):
    """The node where the run begins, and its times. `missed`: what becomes of one at which no server ran."""

    entry: str
    cron: str
    timezone: str
    missed: Missed

    def find_next(self, after: datetime) -> datetime | None:
        """Its first time behind `after`; None when none comes."""
        return cron.find_next(self.cron, self.timezone, after)


def find_schedules(program: Program) -> list[ProgramSchedule]:
    """The schedules of a program."""
    found = [node for node in program.nodes if entered_by(node.kind) == "schedule"]
    configs = [(node.id, msgspec.convert(node.config, EntrySchedule)) for node in found]
    return [ProgramSchedule(entry, config.cron, config.timezone, config.missed) for entry, config in configs]
