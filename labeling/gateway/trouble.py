"""What went wrong that is nobody's mistake: the database is away, or a disk is full. One place says what that means."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from psycopg import Error
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

_DISK_FULL = "53100"
_READ_ONLY = "25006"


@dataclass(frozen=True, slots=True)
class Trouble:
    """``code`` is for programs; ``retry_after``: seconds after which it is worth another try."""

    code: str
    title: str | Promise
    message: str | Promise
    status: int
    retry_after: int


AWAY = Trouble(
    "database_away",
    _("The database is away for a moment"),
    _(
        "Nothing that was confirmed to you is lost. Try again in a few seconds; the labeling screen keeps what you answered "
        "and sends it by itself."
    ),
    503,
    5,
)
DISK_FULL = Trouble(
    "disk_full",
    _("The server's disk is full"),
    _(
        "Nothing more can be stored until the disk has room again. Nothing that was confirmed to you is lost. Tell your "
        "administrator that the disk is full."
    ),
    507,
    60,
)
READ_ONLY = Trouble(
    "database_read_only",
    _("The database takes no changes at the moment"),
    _(
        "Nothing that was confirmed to you is lost. Try again in a minute; if it stays, tell your administrator."
    ),
    503,
    30,
)


def trouble_of(error: BaseException | None) -> Trouble | None:
    """Which trouble an exception comes of, its causes looked at too; ``None``: it is a refusal, or a bug."""
    for each in _causes(error):
        if is_disk_full(each):
            return DISK_FULL
        if isinstance(each, Error) and each.sqlstate == _READ_ONLY:
            return READ_ONLY
    away = (OperationalError, InterfaceError, PoolTimeout, PoolClosed, TooManyRequests)
    return AWAY if isinstance(error, away) else None


def is_disk_full(error: BaseException) -> bool:
    """Of the database, or of our own files; a quota that is used up is the same to whoever wants to write."""
    if isinstance(error, Error):
        return error.sqlstate == _DISK_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
