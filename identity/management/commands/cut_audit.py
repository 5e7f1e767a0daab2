"""`manage.py cut_audit`: remove what is old of the audit log, leaving a signed stub."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from identity import actors
from identity.audit import chain, retention
from identity.errors import Invalid
from identity.management.migrated import MigratedCommand


class Command(MigratedCommand):
    """Calls `retention.cut` for each tenant."""

    help = "Remove entries of the audit log from before a day. An entry that says so, signed, takes their place."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Up to when, and of whom."""
        parser.add_argument("--before", required=True, metavar="YYYY-MM-DD", help="The first day (UTC) that is kept.")
        parser.add_argument("--tenant", metavar="SLUG", help="Left out: every tenant.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Cut, and say how much; a log that is broken is left for whoever looks into it."""
        before, at = _midnight(options["before"]), timezone.now()
        if chain.find_breaks(options["tenant"]):
            raise CommandError("The audit log is broken, so nothing was cut. See: manage.py verify_audit")
        for head in chain.find_heads(options["tenant"]):
            try:
                count = retention.cut(head.tenant, before=before, actor=actors.operator("cut_audit"), at=at)
            except Invalid as refusal:
                raise CommandError(refusal.problems[0].message) from None
            self.stdout.write(f"{head.tenant}: {count} entries cut")


def _midnight(text: str) -> datetime:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError("Give a day such as 2026-01-31.")
    return datetime.combine(day, time(), tzinfo=UTC)
