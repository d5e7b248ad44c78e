"""What went wrong that is nobody's mistake: the database is away, or a disk is full. One place says what that means."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.postgres.outages import is_disk_full, is_outage, is_read_only
from labeling.serving.asking import ServiceAway
from labeling.store.objects import StoreAway


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
STORE_AWAY = Trouble(
    "store_away",
    _("The store of photos and models is away for a moment"),
    _(
        "Nothing that was confirmed to you is lost. Try again in a minute; if it stays, tell your administrator that the "
        "store does not answer."
    ),
    503,
    30,
)

PREDICTIONS_AWAY = Trouble(
    "predictions_away",
    _("The prediction service does not answer at the moment"),
    _(
        "It is being started, has too much to do, or cannot reach the database. Send the photos again in a few seconds; if "
        "it stays, tell your administrator that the prediction service is away."
    ),
    503,
    3,
)


def trouble_of(error: BaseException | None) -> Trouble | None:
    """Which trouble an exception comes of, its causes looked at too; ``None``: it is a refusal, or a bug."""
    if is_disk_full(error):
        return DISK_FULL
    if is_read_only(error):
        return READ_ONLY
    if isinstance(error, StoreAway):
        return STORE_AWAY
    if isinstance(error, ServiceAway):
        return PREDICTIONS_AWAY
    return AWAY if is_outage(error) else None
