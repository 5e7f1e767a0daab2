"""Times that come again: five fields of cron in a time zone.

A time that a change of clocks skips comes right after the change; one that comes twice is taken once, unless the minute
or hour is `*`, which goes on by the time that passes. So does Debian's cron, as read by the library `cronsim`.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError


def find_next(cron: str, timezone: str, after: datetime) -> datetime | None:
    """The first time behind `after`, in UTC; None for one that never comes, such as the 31st of February.

    Raises ValueError for what is no schedule, and ZoneInfoNotFoundError for what is no time zone.
    """
    try:
        found = next(CronSim(cron, after.astimezone(ZoneInfo(timezone))), None)
    except CronSimError:
        raise ValueError(cron) from None
    return found.astimezone(UTC) if found else None
