"""Reads the audit trail: accounts' histories and projects' diaries, which the database only lets grow, as one list.

Each keeps its own ids. So a place in the list is an id of each, and a page costs the same however far back it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Activity, Project
from labeling.overview.trail.topics import TOPICS
from labeling.people.models import AccountEvent, User
from labeling.refusals import Refused

Event = AccountEvent | Activity
COLUMNS = ("id", "at", "kind", "by", "account", "project", "what")
#: Rows that an export reads at a time.
A_CHUNK = 1000
_PLACE = re.compile(r"(\d{1,19})-(\d{1,19})")


class Place(NamedTuple):
    """What lies behind it is older: ids below these."""

    account: int = 2**63 - 1
    project: int = 2**63 - 1

    def __str__(self) -> str:
        return f"{self.account}-{self.project}"


START = Place()


@dataclass(frozen=True)
class Narrowed:
    """To one person (who did it, or whose account or membership it is about), topic or project, and to a time."""

    person: User | None = None
    topic: str = ""
    project: Project | None = None
    since: datetime | None = None
    until: datetime | None = None


#: What can be asked by, as parameters of the page and of the API.
ASKED = ("person", "topic", "project", "since", "until")


def narrowed(asked: Mapping[str, str]) -> Narrowed:
    """From parameters. Raises :class:`Refused` (422), naming the one that nothing can be found by."""
    given = {name: asked.get(name, "").strip().replace("\0", "") for name in ASKED}
    person = User.objects.filter(username=given["person"]).first() if given["person"] else None
    project = Project.objects.filter(slug=given["project"]).first() if given["project"] else None
    wrong = {}
    if given["person"] and person is None:
        wrong["person"] = _("There is no account of that name.")
    if given["project"] and project is None:
        wrong["project"] = _("There is no project with this address.")
    if given["topic"] and given["topic"] not in TOPICS:
        wrong["topic"] = _("One of: %(values)s.") % {"values": ", ".join(TOPICS)}
    times: dict[str, datetime | None] = {}
    for name in ("since", "until"):
        times[name] = _moment(given[name])
        if given[name] and times[name] is None:
            wrong[name] = _("Send a date such as 2026-11-29, or a moment such as 2026-11-29T14:05:00Z.")
    if wrong:
        raise Refused.invalid_fields(wrong)
    return Narrowed(person, given["topic"], project, times["since"], times["until"])


def _moment(text: str) -> datetime | None:
    """A date is its first moment, where whoever asks is."""
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)) is not None:
            moment = datetime(day.year, day.month, day.day)
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=get_current_timezone())
        return moment and moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def place_of(text: str) -> Place:
    """Raises :class:`Refused` (422) for what is no cursor of ours."""
    if not text:
        return START
    found = _PLACE.fullmatch(text)
    if found is None or max(ids := (int(found[1]), int(found[2]))) > START.account:
        message = _("This cursor is not one of ours. Start without one, then follow “next”.")
        raise Refused.invalid("cursor", message, short=[message])
    return Place(*ids)


def page(by: Narrowed, *, before: Place = START, limit: int) -> tuple[list[Event], Place | None]:
    """Events behind ``before``, newest first, and the place behind them; ``None`` where nothing follows."""
    rows = merge(*_sources(by, before, limit + 1), key=lambda event: event.at, reverse=True)
    found = list(islice(rows, limit + 1))
    if len(found) <= limit:
        return found, None
    account, project = before
    for event in found[:limit]:
        if isinstance(event, AccountEvent):
            account = event.pk
        else:
            project = event.pk
    return found[:limit], Place(account, project)


def chunks(by: Narrowed) -> Iterator[list[dict[str, Any]]]:
    """Everything, newest first, as rows of :data:`COLUMNS`; memory stays flat."""
    place: Place | None = START
    while place is not None:
        events, place = page(by, before=place, limit=A_CHUNK)
        yield [row(event) for event in events]


def row(event: Event) -> dict[str, Any]:
    """``id`` is unique over both; ``by`` and ``account`` are user names; ``what`` is an object of what the kind tells."""
    by = event.by if isinstance(event, AccountEvent) else event.actor
    common = {"at": event.at, "kind": event.kind, "by": by.username if by else None}
    if isinstance(event, AccountEvent):
        account = event.person.username if event.person else None
        said = {"said": event.what} if event.what else {}
        return {"id": f"account-{event.pk}", **common, "account": account, "project": None, "what": said}
    told = {"id": f"project-{event.pk}", **common, "account": event.data.get("username")}
    return {**told, "project": event.project.slug, "what": event.data}


def _sources(by: Narrowed, before: Place, limit: int) -> list[QuerySet[Any]]:
    accounts = AccountEvent.objects.filter(pk__lt=before.account).select_related("by", "person")
    projects = Activity.objects.filter(pk__lt=before.project).select_related("actor", "project")
    if by.person:
        accounts = accounts.filter(Q(by=by.person) | Q(person=by.person))
        projects = projects.filter(Q(actor=by.person) | Q(data__username=by.person.username))
    if by.topic:
        accounts = accounts.filter(kind__in=TOPICS[by.topic].of_accounts)
        projects = projects.filter(kind__in=TOPICS[by.topic].of_projects)
    if by.project:
        accounts, projects = accounts.none(), projects.filter(project=by.project)
    times = {f"at__{way}": at for way, at in (("gte", by.since), ("lt", by.until)) if at}
    return [rows.filter(**times).order_by("-pk")[:limit] for rows in (accounts, projects)]
