"""What runs for days does not begin on a database without its tables, and says what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management.base import CommandError
from django.db.migrations.recorder import MigrationRecorder

from config.database import ROOT
from labeling.jobs.migrated import must_be_migrated
from tests.database import url_of


@pytest.fixture
def empty_database(django_db_setup: None) -> Iterator[str]:
    name = f"empty_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as line:
        line.execute(f"CREATE DATABASE {name}")
        yield url_of(name)
        line.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_an_empty_database_is_said_to_be_unprepared_and_nothing_starts(empty_database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    started = [
        subprocess.Popen(
            [sys.executable, "manage.py", command],
            cwd=ROOT,
            env=os.environ
            | {"DATABASE_URL": empty_database, "HILLTOP_PORT": port, "HILLTOP_HOST": "127.0.0.1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command in ("serve", "worker")
    ]
    for process in started:
        told, _nothing = process.communicate(timeout=300)
        assert process.returncode == 1, told
        assert "run `python manage.py migrate`" in told and "Hilltop answers" not in told, told


def test_one_that_lacks_a_single_migration_is_unprepared_too(db: None) -> None:
    must_be_migrated()
    MigrationRecorder.Migration.objects.filter(app="monitors").latest("id").delete()
    with pytest.raises(CommandError, match=r"1 of its migrations .* first monitors\."):
        must_be_migrated()
