"""`manage.py apply FILE.yaml`: bring tenants, people, groups, flows and publications in line with a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import OperationalError
from django.utils import timezone

from identity import actors
from identity.management.migrated import MigratedCommand
from publishing import declared


class Command(MigratedCommand):
    """Calls `declared.apply`."""

    help = "Apply a YAML file of tenants, users, groups, flows and publications. What it does not mention stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and whether to look only."""
        parser.add_argument("file", type=Path, metavar="FILE.yaml")
        parser.add_argument("--plan", action="store_true", help="Show what would change, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Apply the file and print what changed."""
        actor, is_plan = actors.operator("apply"), options["plan"]
        try:
            done = declared.apply(options["file"], actor=actor, at=timezone.now(), is_plan=is_plan)
        except declared.DeclarationRefused as refusal:
            raise CommandError(str(refusal)) from None
        except OperationalError as error:
            # A deadlock with somebody else's change, or the server is gone.
            raise CommandError(f"The database gave up, and nothing was changed. Try again. ({error})") from None
        for line in [*done.changes, *done.notes]:
            self.stdout.write(line)
        self.stdout.write(_summary(len(done.changes), is_plan))


def _summary(number: int, is_plan: bool) -> str:
    if not number:
        return "Nothing changes."
    what = f"{number} change{'' if number == 1 else 's'}"
    return f"{what} would be made. Nothing was changed." if is_plan else f"{what} made."
