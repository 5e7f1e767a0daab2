"""Commands that need the database's tables as the code knows them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class MigratedCommand(BaseCommand):
    """Refuses with a sentence, not a traceback, while migrations are missing."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Look at the migrations, then run the command."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError("The database's tables are missing or old. Run this first: manage.py migrate")
        return super().execute(*args, **options)
