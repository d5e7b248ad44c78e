"""What many tests begin with and is dear to make: made once a process, and laid back for each of them.

The first test that asks has it made. The rows, the files and the Python objects that came of it are kept, and the next
test gets copies of them, under the same keys, without a training or a service having run. So a test may change what it
was given, and no other test sees it.
"""

from __future__ import annotations

import math
import pickle
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import connection
from django.utils import timezone

from tests import database

P = ParamSpec("P")
R = TypeVar("R")

_FOLDERS = ("MODELS_DIR", "EMBEDDINGS_DIR", "BACKBONES_DIR")


Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """``rows``: as COPY writes them, by table and columns. ``files``: a copy of what a test's own folders held.

    ``partitions``: of which tables, their names and bounds; others may have dropped them since.
    ``given``: whose rows are among them, for one thing may be made on top of another.
    """

    partitions: list[tuple[str, str, str]]
    rows: dict[str, bytes]
    files: dict[str, Path]
    made: bytes
    since: float
    given: frozenset[Key]


_kept: dict[Key, Kept] = {}
_given: set[Key] = set()


def forget_what_was_given() -> None:
    """Before each test: nothing that was kept is in the database any more."""
    _given.clear()


def made_once(make: Callable[P, R], *, for_s: float = math.inf) -> Callable[P, R]:
    """For a function that fills an empty database the same way each time; what it returns can be pickled.

    Made anew all the same where the database has rows already, on another day (for it may end "today"), after
    ``for_s`` seconds (for what is on loan runs out), or when a test asks a second time, for it wants two.
    """

    @wraps(make)
    def give(*args: P.args, **kwargs: P.kwargs) -> R:
        own = _own_folders()
        key = (make, args, *sorted(kwargs.items()), *own, timezone.now().date())
        kept = _kept.get(key)
        if kept and not kept.given & _given and time.monotonic() - kept.since < for_s:
            _given.update(kept.given)
            _lay_back(kept, own)
            made: R = pickle.loads(kept.made)
            return made
        empty = not database.with_rows(database.tables())
        value = make(*args, **kwargs)
        if empty:
            _given.add(key)
            _kept[key] = Kept(
                _partitions(), _rows(), _files(own), pickle.dumps(value), time.monotonic(), frozenset(_given)
            )
        return value

    return give


def _own_folders() -> dict[str, Path]:
    """The folders that are this test's alone; what lies in the process's common ones stays there."""
    folders = {name: Path(getattr(settings, name)) for name in _FOLDERS}
    return {name: path for name, path in folders.items() if not path.is_relative_to(settings.VAR)}


def _files(own: dict[str, Path]) -> dict[str, Path]:
    there = {name: path for name, path in own.items() if path.exists()}
    aside = Path(tempfile.mkdtemp(prefix="kept-", dir=settings.VAR))
    return {name: Path(shutil.copytree(path, aside / name)) for name, path in there.items()}


def _partitions() -> list[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhparent::regclass::text, oid::regclass::text, pg_get_expr(relpartbound, oid) "
            "FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE relispartition AND relkind = 'r'"
        )
        return [(table, name, bounds) for table, name, bounds in cursor.fetchall() if bounds != "DEFAULT"]


def _rows() -> dict[str, bytes]:
    rows = {}
    with connection.cursor() as cursor:
        for table in database.with_rows(database.tables()):
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
                "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                [table],
            )
            (columns,) = cursor.fetchone()
            with cursor.copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary)") as copy:
                rows[f"{table} ({columns})"] = b"".join(copy)
    return rows


def _lay_back(kept: Kept, own: dict[str, Path]) -> None:
    with database.without_triggers(), connection.cursor() as cursor:
        for table, name, bounds in kept.partitions:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} {bounds}")
        for table, rows in kept.rows.items():
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(rows)
    for name, path in kept.files.items():
        shutil.copytree(path, own[name], dirs_exist_ok=True)
