"""`manage.py create_api_key`: a new key for a user, alone on standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from identity import actors, keys
from identity.errors import ActionRefused, Invalid
from identity.management.migrated import MigratedCommand
from identity.models import User

MOST_DAYS = 36_500


class Command(MigratedCommand):
    """Calls `keys.mint`."""

    help = "Make an API key and print it. It is shown this once: only its digest is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose key, what it is for, and when it ends."""
        parser.add_argument("--user", required=True, metavar="EMAIL")
        parser.add_argument("--name", required=True, help="Says where the key is used.")
        parser.add_argument("--expires-in", type=int, metavar="DAYS", help="Whole days from now. Left out: never.")
        parser.add_argument(
            "--model",
            action="append",
            dest="models",
            metavar="NAME",
            help="Limit the key to this model, and to the chat; repeat it for more. Left out: no limit.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Mint and print."""
        at = timezone.now()
        try:
            _, secret = keys.mint(
                user=_user(options["user"]),
                name=options["name"],
                actor=actors.operator("create_api_key"),
                at=at,
                expires_at=_end(options["expires_in"], at),
                models=options["models"],
            )
        except ActionRefused as refusal:
            raise CommandError(_explain(refusal)) from None
        self.stdout.write(secret)


def _user(email: str) -> User:
    user = User.objects.select_related("tenant").filter(email=email.strip().lower()).first()
    if user is None:
        raise CommandError(f"There is no user {email}.")
    if not (user.is_active and user.tenant.is_active):
        raise CommandError(f"The user {email} or the tenant {user.tenant} is switched off: the key would open nothing.")
    return user


def _end(days: int | None, at: datetime) -> datetime | None:
    if days is None:
        return None
    if not 1 <= days <= MOST_DAYS:
        raise CommandError(f"--expires-in must be 1 to {MOST_DAYS} days.")
    return at + timedelta(days=days)


def _explain(refusal: ActionRefused) -> str:
    advice = [problem.message for problem in refusal.problems] if isinstance(refusal, Invalid) else []
    return " ".join([str(refusal), *advice])
