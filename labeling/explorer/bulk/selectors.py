"""What was asked of all that a search found, read: how far it is, what it did or would do, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.database.kept_counts import by_day
from labeling.database.read_once import read_once
from labeling.explorer.bulk.deeds import why
from labeling.explorer.models import DONE, Bulk, BulkPhoto, Deed

#: Days over which the pace of people is taken.
LATELY = 7


def bulks_of(project: Project) -> QuerySet[Bulk]:
    """Newest first."""
    bulks = Bulk.objects.filter(project=project).select_related("project", "job", "created_by")
    return bulks.order_by("-created_at")


def bulk_of(project: Project, bulk_id: UUID) -> Bulk:
    """Raises :class:`Http404`."""
    found = bulks_of(project).filter(pk=bulk_id).first()
    if found is None:
        raise Http404(_("There is no such act on photos in this project."))
    return found


def photos_left(bulk: Bulk) -> QuerySet[BulkPhoto]:
    """Those that stayed as they were."""
    return bulk.photos.exclude(outcome=DONE).select_related("item__image")


@dataclass(frozen=True)
class Reason:
    """So many photos stay (or stayed) as they are; ``such_as``: a few of them."""

    code: str
    text: str
    n: int
    such_as: list[Item]


def reasons(counted: Mapping[str, Any]) -> list[Reason]:
    """Of a stage's tally, the most frequent first."""
    codes = sorted((code for code in counted if code != DONE), key=lambda code: -counted[code]["n"])
    items = Item.objects.select_related("image").in_bulk(
        [pk for code in codes for pk in counted[code]["such_as"]]
    )
    return [
        Reason(
            code,
            why(code),
            counted[code]["n"],
            [items[pk] for pk in counted[code]["such_as"] if pk in items],
        )
        for code in codes
    ]


@dataclass(frozen=True)
class Flood:
    """What comes before all others for how long. ``days``: at the pace of the last days; ``None`` where nobody answered."""

    answers: int
    days: float | None


def flood(bulk: Bulk) -> Flood | None:
    """Of photos that would be asked first."""
    n = bulk.photos_done(bulk.foreseen)
    if bulk.deed != Deed.FIRST or not n:
        return None
    lately = _answers_lately(bulk.project)
    answers = n * bulk.project.answers_per_image
    return Flood(answers, answers * LATELY / lately if lately else None)


@read_once
def _answers_lately(project: Project) -> int:
    since = (timezone.now() - timedelta(days=LATELY)).date()
    days = by_day(project, ("answers",), "UTC")["answers"]
    return sum(each.n for day, each in days if day > since and each.key[0] == "stands")
