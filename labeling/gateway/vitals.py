"""What this process needs to go on: a database that answers and stores, and disks that take another file.

Looked at by doing it. Each probe writes what a photo's row or rendition would take, of which nothing is left; however often
strangers ask, it is done once a second.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from django.conf import settings

from config.postgres.asking import Asking
from config.postgres.outages import is_disk_full
from config.postgres.pulse import fresh_line

UNREACHABLE = "database unreachable"
#: How long whoever asks waits for an answer.
PATIENCE_S = 1.5
#: Bytes of the file that is written.
_A_FILE = 2**16
#: Sorting more than it may keep in memory makes PostgreSQL write half a megabyte beside its tables. That leaves no trace
#: in the log of changes, and is neither a table's row nor a table.
_WRITE = "SELECT count(*) FROM (SELECT repeat(n::text, 30) AS t FROM generate_series(1, 4000) AS n ORDER BY t OFFSET 0) s"


def wrong() -> str:
    """ "" where all is well; else ``database unreachable``, ``database read only``, ``disk full`` or ``disk unusable``."""
    found = _vitals.ask(patience_s=PATIENCE_S)
    return UNREACHABLE if found is None else found


def _look() -> str:
    return _database() or _disks()


def _database() -> str:
    try:
        with fresh_line() as line, line.transaction():
            (read_only,) = line.execute("SELECT current_setting('transaction_read_only')").fetchone() or (
                "on",
            )
            if read_only == "on":
                return "database read only"
            line.execute("SET LOCAL work_mem = '64kB'")
            line.execute(_WRITE)
    except psycopg.Error as error:
        return "disk full" if is_disk_full(error) else UNREACHABLE
    return ""


def _disks() -> str:
    try:
        for folder in _folders():
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(os.urandom(_A_FILE))  # a disk that compresses must not get off lightly
                file.flush()
    except OSError as error:
        return "disk full" if is_disk_full(error) else "disk unusable"
    return ""


def _folders() -> Iterator[Path]:
    """Where this process writes, each disk once."""
    photos = settings.STORAGES["default"].get("OPTIONS", {}).get("location")
    disks: set[int] = set()
    for folder in (settings.VAR, photos, tempfile.gettempdir()):
        path = Path(folder) if folder else None
        if path is None or not path.is_dir() or (disk := path.stat().st_dev) in disks:
            continue
        disks.add(disk)
        yield path


_vitals = Asking(_look, keep_s=1.0)
