"""`manage.py demo`: make the demo tenant, unless it exists."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from identity.management.migrated import MigratedCommand
from publishing import demo


class Command(MigratedCommand):
    """Calls `demo.prepare`."""

    help = "Make the demo tenant acme with a published flow and an API key, if there is no tenant acme."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the demo and print how to use it."""
        made = demo.prepare(at=timezone.now())
        if not made.is_new:
            self.stdout.write("The tenant acme exists already. Nothing changes.")
            return
        self.stdout.write(f"Sign in  {made.email} with the password {made.password}")
        self.stdout.write(f"Model    {made.model}")
        self.stdout.write(f"API key  {made.key}   (of {made.caller}, shown this once)")
