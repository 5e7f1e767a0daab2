"""`manage.py reseal`: after a change of `SECRET_KEY`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from identity.actors import operator
from publishing import actions


class Command(BaseCommand):
    """Seals the keys of model providers and the secrets of flows under the present SECRET_KEY."""

    help = (
        "Seal the keys of model providers and the secrets of flows under the present SECRET_KEY. Set the earlier key "
        "in SECRET_KEY_FALLBACKS before, and leave it out after."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal everything, and name what no key opened."""
        done = actions.reseal(actor=operator("reseal"), at=timezone.now())
        self.stdout.write(f"Resealed {done.sealed}.")
        if done.unreadable:
            raise CommandError(f"No key opens these; give them new values: {', '.join(done.unreadable)}.")
