"""`manage.py tune_database`: what our connections ask of PostgreSQL, as the database's own default."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection
from psycopg import errors, sql

from publishing.db.pool import PLAN_CACHE_MODE


class Command(BaseCommand):
    """Sets the defaults of the database, for poolers that do not pass on what a connection asks at its start."""

    help = (
        "Make the database plan prepared statements once, whoever connects. Our own connections ask for that; behind a "
        "pooler such as PgBouncer, which does not pass it on, run this once. Needs the owner of the database."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Set it, and say what is set."""
        name = str(connection.settings_dict["NAME"])
        statement = sql.SQL("ALTER DATABASE {} SET plan_cache_mode = {}").format(
            sql.Identifier(name), sql.Literal(PLAN_CACHE_MODE)
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        except ProgrammingError as error:
            if isinstance(error.__cause__, errors.InsufficientPrivilege):
                raise CommandError(f"Only the owner of the database {name} may do that.") from None
            raise
        self.stdout.write(f"{name}: plan_cache_mode = {PLAN_CACHE_MODE}, for connections from now on.")
