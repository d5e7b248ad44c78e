"""What an exception says of the database and the disks: away for now, or full."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator

import psycopg
from django.db import InterfaceError, OperationalError
from procrastinate.exceptions import ConnectorException

_DISK_FULL = "53100"
_READ_ONLY = "25006"


def is_disk_full(error: BaseException | None) -> bool:
    """Of the database, or of our own files; a quota that is used up is the same to whoever wants to write."""
    return any(_says_full(each) for each in _causes(error))


def _says_full(error: BaseException) -> bool:
    """A server that refuses to begin gives no code, only words: PostgreSQL's library keeps the code of queries alone."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, sqlite3.Error):  # of a file in which something is sorted or joined
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    if not isinstance(error, psycopg.Error):
        return False
    return error.sqlstate == _DISK_FULL or (
        error.sqlstate is None
        and any(os.strerror(each) in str(error) for each in (errno.ENOSPC, errno.EDQUOT))
    )


def is_read_only(error: BaseException | None) -> bool:
    """The server that was asked is a standby, or was told to take no changes."""
    return any(isinstance(each, psycopg.Error) and each.sqlstate == _READ_ONLY for each in _causes(error))


def is_outage(error: BaseException | None) -> bool:
    """The server could not do it now, and may do the very same later: gone, starting, or at its limits."""
    if isinstance(error, ConnectorException):  # of the queue of tasks: what the driver said stands behind it
        error = error.__cause__
    return isinstance(
        error, OperationalError | InterfaceError | psycopg.OperationalError | psycopg.InterfaceError
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
