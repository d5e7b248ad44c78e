"""While machines are upgraded one by one, the old code lives on the new tables: a migration must leave it able to.

django-migration-linter reads what a migration tells the database. What came before the first release is taken as it is.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
from django.apps import apps
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django_migration_linter.sql_analyser import PostgresqlAnalyser, analyse_sql_statements
from django_migration_linter.sql_analyser.base import Check, CheckMode, CheckType

#: The last migration of each room that no running machine had to live through.
BEFORE = {
    "catalog": 20,
    "frontier": 11,
    "gateway": 1,
    "jobs": 4,
    "learning": 9,
    "monitors": 1,
    "people": 6,
    "queue": 7,
    "truth": 7,
}
#: What may be taken away, because the release before the migration's has not used it any more: {"room.name": why}.
NOT_USED_ANY_MORE: dict[str, str] = {}


def column_without_default(statements: list[str], **_: object) -> bool:
    """A new column that the old code, which does not name it, cannot leave empty; or one that it may not any more."""
    told = " ".join(statements)
    for line in statements:
        if not (found := re.match(r'ALTER TABLE (\S+) .*(?:ADD|ALTER) COLUMN ("\w+") .*NOT NULL', line)):
            continue
        table, column = found.groups()
        kept = "DEFAULT" in line and f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT" not in told
        if not kept and f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT" not in told:
            return "DROP NOT NULL" not in line and not line.startswith("--")
    return False


def new_condition(statements: list[str], **_: object) -> bool:
    """Of a table that was there: the old code may write what it refuses."""
    made = {found[1] for line in statements if (found := re.match(r"CREATE TABLE (\S+)", line))}
    return any(
        found[1] not in made
        for line in statements
        if (found := re.match(r"ALTER TABLE (\S+) ADD CONSTRAINT .* (?:CHECK|EXCLUDE)\b", line))
    )


class Analyser(PostgresqlAnalyser):  # type: ignore[misc]
    migration_checks = [
        *PostgresqlAnalyser.migration_checks,
        Check(
            "NOT_NULL",
            column_without_default,
            "a column without a default of the database",
            CheckMode.TRANSACTION,
            CheckType.ERROR,
        ),
        Check(
            "ADD_CHECK",
            new_condition,
            "a condition that the old code does not know",
            CheckMode.TRANSACTION,
            CheckType.ERROR,
        ),
    ]


@cache
def loader() -> MigrationLoader:
    return MigrationLoader(None)


def troubles(migration: Migration, before: ProjectState) -> list[str]:
    """What of the migration the code before it could not live with. Indexes that lock a table are not meant here."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(before, editor, collect_sql=True)
    lines = [line for statement in editor.collected_sql for line in statement.splitlines()]
    errors, _ignored, _warnings = analyse_sql_statements(Analyser, lines)
    return [f"{error.code}: {error.message}" for error in errors]


@pytest.mark.django_db
def test_no_migration_takes_from_the_old_code_what_it_needs() -> None:
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("labeling.")}
    bad = {}
    for (room, name), migration in sorted(loader().disk_migrations.items()):
        if room not in ours or int(name[:4]) <= BEFORE.get(room, 0) or f"{room}.{name}" in NOT_USED_ANY_MORE:
            continue
        if found := troubles(migration, loader().project_state((room, name), at_end=False)):
            bad[f"{room}.{name}"] = found
    assert not bad, (
        "The code that runs while machines are upgraded one by one cannot live with these migrations. Give a new column "
        "db_default or null=True; take away only what the release before has stopped using, and say so in "
        "NOT_USED_ANY_MORE (docs/operating.md, Upgrade). " + str(bad)
    )


OFFENDING = {
    "DROP_COLUMN": operations.RemoveField("project", "description"),
    "RENAME_COLUMN": operations.RenameField("project", "description", "about"),
    "RENAME_TABLE": operations.RenameModel("Image", "Photo"),
    "DROP_TABLE": operations.DeleteModel("IntakeFile"),
    "NOT_NULL": operations.AddField("project", "wish", models.IntegerField(default=3)),
    "ALTER_COLUMN": operations.AlterField("image", "width", models.BigIntegerField()),
    "ADD_UNIQUE": operations.AddConstraint(
        "project", models.UniqueConstraint(fields=["name"], name="one_name")
    ),
    "ADD_CHECK": operations.AddConstraint(
        "image", models.CheckConstraint(condition=models.Q(width__gt=9), name="wide")
    ),
    "raw": operations.RunSQL("ALTER TABLE catalog_image DROP COLUMN width"),
}
HARMLESS = [
    operations.AddField("project", "wish", models.IntegerField(null=True)),
    operations.AddField("project", "wish", models.IntegerField(db_default=3)),
    operations.AddField("project", "wish", models.CharField(max_length=9, default="", db_default="")),
    operations.CreateModel(
        "Example",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=9, unique=True)),
        ],
        options={"constraints": [models.CheckConstraint(condition=~models.Q(name=""), name="named")]},
    ),
    operations.AlterField("project", "description", models.TextField(null=True)),
    operations.AddIndex("image", GinIndex(fields=["fingerprint_parts"], name="another")),
]


def applied(*told: operations.base.Operation) -> list[str]:
    migration = Migration("9999_example", "catalog")
    migration.operations = list(told)
    return troubles(migration, loader().project_state(loader().graph.leaf_nodes("catalog")))


@pytest.mark.django_db
@pytest.mark.parametrize("code", OFFENDING)
def test_what_the_old_code_needs_is_found(code: str) -> None:
    found = applied(OFFENDING[code])
    assert [each.split(":")[0] for each in found] == [code if code != "raw" else "DROP_COLUMN"]


@pytest.mark.django_db
def test_a_default_of_one_column_does_not_excuse_another() -> None:
    assert applied(HARMLESS[1], operations.AddField("image", "wish", models.IntegerField(default=3)))


@pytest.mark.django_db
@pytest.mark.parametrize("told", HARMLESS, ids=lambda told: told.describe())
def test_what_the_old_code_does_not_notice_passes(told: operations.base.Operation) -> None:
    assert applied(told) == []
