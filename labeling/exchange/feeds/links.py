"""Feeds: made, shown, prolonged, revoked, opened.

An address is a permission to read one table, as far as whoever made it may: who left the project, or is no admin of it any
more, has left nothing open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may
from labeling.database import locks
from labeling.exchange.feeds.models import Feed, Table
from labeling.exchange.provenance import SOURCES, stream
from labeling.frontier.standing import StandsUnder
from labeling.http.signed_addresses import SignedIds
from labeling.people.models import User
from labeling.refusals import Refused

LONGEST = timedelta(days=366)
#: Of one feed at a time: each holds a transaction and a database connection, as long as its reader is slow.
MOST_READERS = 2
_ADDRESSES = SignedIds("labeling.exchange.feeds")


def token_of(feed: Feed) -> str:
    """What stands in the feed's address; the same each time."""
    return _ADDRESSES.token(feed.pk)


def id_of(token: str) -> UUID | None:
    """The id that this address holds; ``None`` where it is none of ours. Asks no database."""
    return _ADDRESSES.read(token)


def feeds_of(project: Project) -> QuerySet[Feed]:
    """Newest first."""
    return Feed.objects.filter(project=project).select_related("created_by")


def feed_of(project: Project, feed_id: UUID) -> Feed:
    """Raises :class:`Http404`."""
    found = feeds_of(project).filter(pk=feed_id).first()
    if found is None:
        raise Http404(_("There is no such spreadsheet link in this project."))
    return found


@transaction.atomic
def make_feed(
    *,
    project: Project,
    by: User,
    name: str,
    table: str,
    expires_at: datetime,
    columns: Sequence[str] = (),
    promise: str = "",
    in_force: bool = True,
) -> Feed:
    """Raises :class:`Refused` ``invalid`` (422), which names the field."""
    _judge_end(expires_at)
    if table not in Table:
        raise Refused.invalid("table", _("Choose one of: %(names)s.") % {"names": ", ".join(Table.values)})
    if promise and promise not in StandsUnder:
        raise Refused.invalid(
            "promise", _("Choose one of: %(names)s.") % {"names": ", ".join(StandsUnder.values)}
        )
    known = SOURCES[table].columns
    if strange := [each for each in columns if each not in known]:
        raise Refused.invalid(
            "columns",
            _("There is no column %(strange)s in this table. It has: %(names)s.")
            % {"strange": ", ".join(strange), "names": ", ".join(known)},
        )
    feed = Feed.objects.create(
        project=project,
        name=name,
        table=table,
        columns=list(dict.fromkeys(columns)),
        promise=promise,
        in_force=in_force,
        created_by=by,
        expires_at=expires_at,
    )
    _log(feed, by, "feed_made")
    return feed


@transaction.atomic
def prolong_feed(*, feed: Feed, by: User, expires_at: datetime) -> Feed:
    """Let it go on until then, also one that has expired: its address stays the same.

    Raises :class:`Refused` ``invalid`` (422), ``feed_revoked`` (409).
    """
    _judge_end(expires_at)
    feed = (
        Feed.objects.select_for_update(of=("self",)).select_related("created_by", "project").get(pk=feed.pk)
    )
    if feed.revoked_at is not None:
        raise Refused("feed_revoked", _("This link was revoked, which is final. Make a new one."))
    feed.expires_at = expires_at
    feed.save(update_fields=["expires_at"])
    _log(feed, by, "feed_prolonged")
    return feed


@transaction.atomic
def revoke_feed(*, feed: Feed, by: User) -> None:
    """End it at once and for good; again changes nothing."""
    if Feed.objects.filter(pk=feed.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        _log(feed, by, "feed_revoked")


def open_feed(token: str) -> Feed:
    """The feed of this address, with its project. That it was fetched is noted.

    Raises :class:`Refused` ``no_feed`` (404), ``feed_revoked`` or ``feed_expired`` (410; also of an archived project, as
    it may be brought back).
    """
    pk = id_of(token)
    feed = Feed.objects.select_related("project", "created_by").filter(pk=pk).first() if pk else None
    if feed is None:
        raise Refused("no_feed", _("This address is not valid. Copy it anew, and whole."), status=404)
    by = feed.created_by
    if feed.revoked_at is not None or not (by.is_active and may(by, feed.project, Action.ADMIN)):
        raise Refused(
            "feed_revoked", _("This link was revoked. Ask an admin of the project for a new one."), status=410
        )
    if feed.project.archived_at is not None:
        raise Refused(
            "feed_expired",
            _("The project was archived. Where an admin brings it back, this address gives its table again."),
            status=410,
        )
    now = timezone.now()
    if feed.expires_at <= now:
        raise Refused(
            "feed_expired",
            _("This link has expired. An admin of the project can prolong it: the address stays the same."),
            status=410,
        )
    Feed.objects.filter(pk=feed.pk).update(fetched_at=now)
    return feed


def columns_of(feed: Feed) -> tuple[str, ...]:
    """In the order in which they were asked for."""
    return tuple(feed.columns) or SOURCES[feed.table].columns


class FeedBusy(Exception):
    """:data:`MOST_READERS` read it."""


@transaction.atomic
def judge_room(feed: Feed) -> None:
    """Raises :class:`FeedBusy`. Nothing is held: whoever reads then may find that others were faster."""
    _take_room(feed)


def rows_of_feed(feed: Feed) -> Iterator[list[dict[str, Any]]]:
    """As they are now, in lists, flat in memory. Raises :class:`FeedBusy` with the first."""
    current = feed.in_force and feed.table == Table.GROUND_TRUTHS
    with transaction.atomic():
        _take_room(feed)
        yield from stream(SOURCES[feed.table], feed.project, promise=feed.promise, current=current)


def _take_room(feed: Feed) -> None:
    if not locks.hold_a_place(f"exchange.feed {feed.pk}", MOST_READERS):
        raise FeedBusy


def _log(feed: Feed, by: User, kind: str) -> None:
    log_activity(project=feed.project, kind=kind, actor=by, name=feed.name, feed=str(feed.pk))


def _judge_end(expires_at: datetime) -> None:
    now = timezone.now()
    if not now < expires_at <= now + LONGEST:
        raise Refused.invalid(
            "expires_at", _("Choose an end within the next %(days)d days.") % {"days": LONGEST.days}
        )
