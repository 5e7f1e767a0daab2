"""`manage.py verify_audit`: whether the audit log is as it was written, and what to note of it elsewhere."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from identity.audit import chain
from identity.audit.chain import Head
from identity.management.migrated import MigratedCommand


class Command(MigratedCommand):
    """Calls `chain.find_breaks` and `chain.find_lost`."""

    help = "Check the chain of the audit log, name the first broken link of each tenant, and print the heads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Of which tenant, and where heads are noted."""
        parser.add_argument("--tenant", metavar="SLUG", help="Left out: every tenant.")
        parser.add_argument(
            "--heads",
            type=Path,
            metavar="FILE",
            help="Check the heads noted in this file, too, and add the present ones. Keep it on another machine.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, then print and note the heads; nothing is noted of a log that is broken."""
        tenant, file = options["tenant"], options["heads"]
        noted = [head for head in _read(file) if tenant in (None, head.tenant)] if file else []
        breaks = [*chain.find_breaks(tenant), *chain.find_lost(noted)]
        if breaks:
            raise CommandError("\n".join(_describe(one) for one in breaks))
        lines = [f"{head.tenant} {head.seq} {head.hash}" for head in chain.find_heads(tenant)]
        self.stdout.write("\n".join(lines))
        if file:
            at = timezone.now().isoformat(timespec="seconds")
            with file.open("a") as written:
                written.writelines(f"{line} {at}\n" for line in lines)


def _describe(found: chain.Break) -> str:
    where = "" if found.seq is None else f" at link {found.seq}"
    which = "" if found.entry_id is None else f" (entry {found.entry_id})"
    return f"{found.tenant}: broken{where}{which}: {found.wrong}."


def _read(file: Path) -> list[Head]:
    """The heads in the file, each on a line with its tenant, number, hash and time."""
    if not file.exists():
        return []
    heads = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        words = line.split()
        if len(words) != 4 or not words[1].isdecimal():
            raise CommandError(f"{file}: line {number} is not a head. Give the file that this command has written.")
        heads.append(Head(words[0], int(words[1]), words[2]))
    return heads
