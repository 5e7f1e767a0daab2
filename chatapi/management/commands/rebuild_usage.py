"""`manage.py rebuild_usage`: the sums of usage by day are what the usage records say, or what differs is said."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from chatapi.daily_usage import rebuilding
from identity.management.migrated import MigratedCommand


class Command(MigratedCommand):
    """Calls `rebuilding.rebuild` for each day. What was done stays done when it is cut short."""

    help = "Count usage by day again, from the records that are there. Days without records keep their sums."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From which day on, and whether to look only."""
        parser.add_argument("--since", type=_day, default=date(1970, 1, 1), metavar="YYYY-MM-DD", help="A day in UTC.")
        parser.add_argument("--check", action="store_true", help="Change nothing, and fail where a day differs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Day by day, the oldest first."""
        days = rebuilding.days_with_records(since=options["since"])
        if options["check"]:
            self._check(days)
        else:
            self._rebuild(days)

    def _check(self, days: list[date]) -> None:
        for day in days:
            if wrong := rebuilding.count_wrong(day):
                raise CommandError(f"{day}: {_sums(wrong)} differ from the records. Run rebuild_usage to correct them.")
        self.stdout.write(f"{_days(days)} agree with the records.")

    def _rebuild(self, days: list[date]) -> None:
        for day in days:
            if wrong := rebuilding.rebuild(day):
                self.stdout.write(f"{day}: {_sums(wrong)} corrected")
        self.stdout.write(f"{_days(days)} counted.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-11-27") from None


def _days(days: list[date]) -> str:
    return f"{len(days)} day{'' if len(days) == 1 else 's'}"


def _sums(wrong: int) -> str:
    return f"{wrong} sum{'' if wrong == 1 else 's'}"
