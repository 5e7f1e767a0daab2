"""The schedules of what is live: written with each version that goes live, in its transaction."""

from __future__ import annotations

from datetime import datetime

import scaicore
from publishing.models import Core, Schedule
from scaicore.schedules import find_schedules


def reconcile(core: Core, program: scaicore.Program, *, at: datetime) -> None:
    """Let the schedules of `core` be those of `program`. One that is as before keeps the time at which it is due."""
    wanted = {each.entry: each for each in find_schedules(program)}
    kept = set()
    for row in Schedule.objects.select_for_update().filter(core=core):
        each = wanted.get(row.entry)
        if each is None or (row.cron, row.timezone) != (each.cron, each.timezone):
            row.delete()
        else:
            kept.add(row.entry)
            Schedule.objects.filter(pk=row.pk).update(missed=each.missed)
    due = [(each, each.find_next(at)) for entry, each in wanted.items() if entry not in kept]
    Schedule.objects.bulk_create(
        Schedule(
            core=core,
            entry=each.entry,
            cron=each.cron,
            timezone=each.timezone,
            missed=each.missed,
            due_at=due_at,
        )
        for each, due_at in due
        if due_at is not None
    )
