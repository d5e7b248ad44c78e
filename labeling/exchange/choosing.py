"""Photos that a search finds go into a data set: found once, page by page, and kept, for the same search would find others
tomorrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.database.append_only import erasing
from labeling.exchange.models import Chosen, DataSet
from labeling.explorer.search.finding import search
from labeling.explorer.search.naming import KnownBy
from labeling.explorer.search.wanted import Wanted
from labeling.jobs.models import Job
from labeling.jobs.progress import JobError, Progress
from labeling.jobs.services import enqueue
from labeling.people.models import User
from labeling.refusals import Refused

JOB_KIND = "choose"
#: Photos to a row, and of a page of the search.
CHUNK = 5_000


def request_choosing(*, data_set: DataSet, by: User) -> Job:
    return enqueue(
        kind=JOB_KIND,
        project_id=data_set.project_id,
        args={"data_set": str(data_set.pk)},
        requested_by=by,
        dedupe=f"choose:{data_set.pk}",
    )


def choose(progress: Progress) -> dict[str, Any]:
    """Do the job, from where an earlier try ended; return how many photos were found."""
    data_set = DataSet.objects.select_related("project", "created_by").get(pk=progress.args["data_set"])
    before = data_set.chosen.order_by("-number").first()
    number, reached = (before.number + 1, before.reached) if before else (0, 0)
    done = before is not None and before.last
    try:
        if not done:
            _choose(data_set, number, reached, progress)
    except Refused as refused:  # what it names went meanwhile: a class, an account, a photo to compare with
        raise JobError(refused.message) from refused
    return {"photos": photos_found(data_set)}


def _choose(data_set: DataSet, number: int, reached: int, progress: Progress) -> None:
    wanted, by, done = Wanted.read(data_set.project, data_set.search), data_set.created_by, False
    while not done:
        page = search(data_set.project, by, wanted, after=reached, limit=CHUNK)
        progress.check()  # a worker that was believed dead writes nothing
        done, reached = page.next is None, page.next or reached
        Chosen.objects.create(
            data_set=data_set,
            number=number,
            item_ids=[row.item.pk for row in page.rows],
            reached=reached,
            last=done,
        )
        number += 1
        progress.report(photos_found(data_set) or 0)


def forget_searches_of(*, project: Project, gone: KnownBy) -> None:
    """Forget the searches that name an erased photo; what they found stays: ids, of which that photo's leads nowhere. One
    that was still looking ends with what it had found."""
    with erasing():
        for data_set in DataSet.objects.filter(project=project).exclude(search=""):
            if gone.is_meant_by(data_set.search):
                DataSet.objects.filter(pk=data_set.pk).update(search="")
                if not data_set.chosen.filter(last=True).exists():
                    # Without its search it would hold all of the project.
                    number = data_set.chosen.count()
                    Chosen.objects.create(data_set=data_set, number=number, item_ids=[], reached=0, last=True)


def is_chosen(data_set: DataSet) -> bool:
    """Whether it holds what a search found. The search itself may be erased since."""
    return bool(data_set.search) or data_set.chosen.exists()


def chosen_photos(data_set: DataSet) -> Iterator[list[int]]:
    """Ids in lists of at most :data:`CHUNK`. Raises as :func:`refuse_unchosen`."""
    refuse_unchosen(data_set)
    number = 0
    while chosen := data_set.chosen.filter(number=number).first():
        if chosen.item_ids:
            yield chosen.item_ids
        number += 1


def refuse_unchosen(data_set: DataSet) -> None:
    """Raises :class:`Refused` ``choosing`` (409) while the photos of its search are looked for."""
    if data_set.search and not data_set.chosen.filter(last=True).exists():
        raise Refused(
            "choosing",
            _(
                "The photos of this data set are being looked for. Ask again in a moment; if it takes long, look under Jobs."
            ),
        )


def photos_found(data_set: DataSet) -> int | None:
    """How many photos its search found; ``None`` where it has none."""
    if not is_chosen(data_set):
        return None
    return data_set.chosen.aggregate(n=Sum(F("item_ids__len")))["n"] or 0


def filters_of(data_set: DataSet) -> dict[str, str]:
    """Parameter -> value, as of the explorer's address."""
    return dict(parse_qsl(data_set.search))
