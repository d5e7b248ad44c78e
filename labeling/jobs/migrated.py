"""What runs for days begins on no database that lacks tables: it would fail at each job, and say other things."""

from __future__ import annotations

from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


def must_be_migrated() -> None:
    """Raises :class:`CommandError`, with what to do, where migrations are missing. A database that is away may come back."""
    try:
        executor = MigrationExecutor(connection)
    except OperationalError:
        return
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise CommandError(
            f"The database is not prepared for this version of Hilltop: {len(missing)} of its migrations are missing, first "
            f"{missing[0][0]}. Make a backup if there is data in it, run `python manage.py migrate`, and start again. "
            "(`make serve` migrates by itself.)"
        )
