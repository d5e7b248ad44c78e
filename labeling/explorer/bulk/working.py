"""The worker's part: walk through what a search finds, a page at a time, and look, do or take back.

What a chunk did is written down at its end. A photo's own row is written with the deed, so a worker that died in the midst
of a chunk left none of it unknown, and the next one passes by what is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from labeling.catalog.models import Item
from labeling.catalog.permissions import may
from labeling.explorer.bulk.acting import ACTS, do
from labeling.explorer.bulk.deeds import NEEDS, Asked, Outcome
from labeling.explorer.models import DONE, Bulk, BulkPhoto, Deed
from labeling.explorer.search.finding import search
from labeling.explorer.search.wanted import Wanted
from labeling.jobs.progress import JobError, Progress
from labeling.queue.services import request_ranking
from labeling.refusals import Refused

JOB_KIND = "bulk"
#: Photos that are looked at in one statement; and those that are mended between two looks whether to stop.
CHUNK, FEW = 1000, 100
SUCH_AS = 5
#: With more none would be first, and a new order would hold up every claim while it puts them in front.
MOST_FIRST = 10_000


def work(progress: Progress) -> dict[str, Any]:
    """Do the stage that the job's bulk is at; return its tally."""
    bulk = Bulk.objects.select_related("project", "created_by").filter(pk=progress.args["bulk"]).first()
    if bulk is None:
        raise JobError(_("A photo that its search names was erased, and it with it. Search anew."))
    bulk.job = progress.job  # another one than was asked for, where a failed one is tried again
    by = progress.job.requested_by
    bulk.save(update_fields=["job"])
    if by is None or not may(by, bulk.project, NEEDS[bulk.deed]):
        raise JobError(_("Whoever asked for this may not do it any more. Ask an admin to do it."))
    asked = Asked(bulk.project, by, bulk.deed, bulk.comment, bulk.class_key)
    try:
        match bulk.stage:
            case Bulk.Stage.LOOKING:
                _look(bulk, asked, progress)
            case Bulk.Stage.DOING:
                _do(bulk, asked, progress)
            case Bulk.Stage.UNDOING:
                _undo(bulk, asked, progress)
    except (
        Refused
    ) as refused:  # what the search names went meanwhile: a class, an account, a photo to compare with
        raise JobError(refused.message) from refused
    return {"stage": bulk.stage, "photos": {code: each["n"] for code, each in bulk.counted.items()}}


def _look(bulk: Bulk, asked: Asked, progress: Progress) -> None:
    for items, reached in _found(bulk, asked, CHUNK):
        left = ACTS[asked.deed].left(asked, items)
        _count(bulk.foreseen, [Outcome(item.pk, left.get(item.pk, DONE)) for item in items])
        _get_on(bulk, reached, "foreseen", progress)
        if bulk.deed == Deed.FIRST and bulk.photos_done(bulk.foreseen) > MOST_FIRST:
            break
    _end(bulk, Bulk.Stage.LOOKED)


def _do(bulk: Bulk, asked: Asked, progress: Progress) -> None:
    for items, reached in _found(bulk, asked, CHUNK if bulk.deed == Deed.FIRST else FEW):
        had = set(bulk.photos.filter(item__in=[item.pk for item in items]).values_list("item", flat=True))
        outcomes: list[Outcome] = []

        def keep(some: list[Outcome], outcomes: list[Outcome] = outcomes) -> None:
            BulkPhoto.objects.bulk_create(
                [
                    BulkPhoto(
                        bulk=bulk,
                        item_id=each.item_id,
                        outcome=each.code,
                        message=each.message,
                        ruling_id=each.ruling,
                    )
                    for each in some
                ],
                ignore_conflicts=True,
            )
            outcomes += some

        do(asked, [item for item in items if item.pk not in had], keep)
        kept = bulk.photos.filter(item__in=had)
        _count(bulk.done, [*outcomes, *(Outcome(each.item_id, each.outcome) for each in kept)])
        _get_on(bulk, reached, "done", progress)
    # A search finds no more what a worker did that died before it wrote down how far it was.
    for code, n in bulk.photos.values_list("outcome").annotate(n=Count("id")):
        bulk.done.setdefault(code, {"such_as": []})["n"] = n
    bulk.save(update_fields=["done"])
    _end(bulk, Bulk.Stage.DONE)


def _undo(bulk: Bulk, asked: Asked, progress: Progress) -> None:
    while True:
        rows = bulk.photos.filter(outcome=DONE, item__gt=bulk.reached).order_by("item")
        done = dict(rows.values_list("item", "ruling")[:FEW])
        if not done:
            break
        outcomes: list[Outcome] = []
        ACTS[asked.deed].undo(asked, done, outcomes.extend)
        _count(bulk.undone, outcomes)
        _get_on(bulk, max(done), "undone", progress)
    if bulk.deed == Deed.FIRST:
        request_ranking(project=bulk.project, by=asked.by)
    _end(bulk, Bulk.Stage.UNDONE)


def _found(bulk: Bulk, asked: Asked, chunk: int) -> Iterator[tuple[list[Item], int]]:
    """Photos that the search finds behind what was reached, and how far each page of them reaches: by id, or by place
    among those that are alike, which are never more than there are ids."""
    wanted = Wanted.read(bulk.project, bulk.query)
    reached: int | None = bulk.reached
    while reached is not None and reached < bulk.upto:
        page = search(bulk.project, asked.by, wanted, after=reached, limit=chunk)
        reached = page.next
        items = [row.item for row in page.rows if row.item.pk <= bulk.upto]
        yield items, bulk.upto if reached is None else min(reached, bulk.upto)


def _count(tally: dict[str, Any], outcomes: list[Outcome]) -> None:
    for each in outcomes:
        told = tally.setdefault(each.code, {"n": 0, "such_as": []})
        told["n"] += 1
        if len(told["such_as"]) < SUCH_AS:
            told["such_as"].append(each.item_id)


def _get_on(bulk: Bulk, reached: int, field: str, progress: Progress) -> None:
    progress.check()  # a worker that was believed dead writes nothing
    bulk.reached = reached
    bulk.save(update_fields=["reached", field])
    total = sum(each["n"] for each in bulk.foreseen.values())
    if bulk.stage == Bulk.Stage.UNDOING:
        total = bulk.photos_done(bulk.done)
    handled = sum(each["n"] for each in getattr(bulk, field).values())
    progress.report(handled, None if bulk.stage == Bulk.Stage.LOOKING else max(total, handled))


def _end(bulk: Bulk, stage: Bulk.Stage) -> None:
    bulk.stage, bulk.reached = stage, 0
    bulk.save(update_fields=["stage", "reached"])
