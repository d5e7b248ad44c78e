"""A version asks a further project: photos of inspections that were before it come into that project too, by a job, so that
there is something to label and to learn from. Their verdicts stay as they are: the version by which they were photographed
does not ask it.

The job may be done again, or be taken up by another worker: what is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from labeling.catalog import erased
from labeling.catalog.models import Project
from labeling.inspections.models import Inspection, InspectionPhoto, ProtocolVersion
from labeling.inspections.photographed import offer
from labeling.jobs.progress import JobError, Progress
from labeling.jobs.services import enqueue
from labeling.jobs.told import know
from labeling.people.models import User

KIND = "ask_earlier_inspections"
MOST_DAYS = 3_650
#: Inspections of one transaction.
AT_ONCE = 25
GONE = gettext_noop("The version or the project is gone. There is nothing to do.")
know([GONE])


def newly_asked(
    before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Project's address -> keys of the shots of which it is asked now, and was not."""
    was = {(shot["key"], slug) for shot in before for slug in shot.get("checks", ())}
    found: dict[str, list[str]] = {}
    for shot in now:
        for slug in shot.get("checks", ()):
            if (shot["key"], slug) not in was:
                found.setdefault(slug, []).append(shot["key"])
    return found


def ask_earlier(
    *, version: ProtocolVersion, asked: Mapping[str, Collection[str]], days: int, by: User
) -> None:
    """A job for each project of ``asked`` (:func:`newly_asked`), on its page of jobs."""
    since = timezone.now() - timedelta(days=days)
    for project in Project.objects.filter(slug__in=asked):
        enqueue(
            kind=KIND,
            project_id=project.pk,
            args={
                "version": version.pk,
                "shots": sorted(asked[project.slug]),
                "since": since.isoformat(),
                "until": timezone.now().isoformat(),
            },
            requested_by=by,
            dedupe=f"{KIND}:{version.pk}:{project.pk}",
            lock=f"{KIND}:{project.pk}",
        )


def catch_up(progress: Progress) -> dict[str, Any]:
    """Do the job. Returns {inspections, photos}: how many were looked at, and how many photos came in."""
    args = progress.args
    version = ProtocolVersion.objects.select_related("protocol").filter(pk=args["version"]).first()
    project = Project.objects.filter(pk=progress.job.project_id or 0).first()
    by = progress.job.requested_by
    if version is None or project is None or by is None:
        raise JobError(GONE)
    rows = Inspection.objects.filter(
        protocol=version.protocol, happened_at__gte=args["since"], created_at__lte=args["until"]
    )
    total, told = rows.count(), {"inspections": 0, "photos": 0}
    last = 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        last = ids[-1]
        told["photos"] += _offer(project, version, ids, args["shots"], by)
        told["inspections"] += len(ids)
        progress.report(told["inspections"], total)
        progress.check()
    return told


@transaction.atomic
def _offer(
    project: Project, version: ProtocolVersion, inspections: Sequence[int], shots: Sequence[str], by: User
) -> int:
    taken = InspectionPhoto.objects.current().filter(inspection__in=inspections, shot__key__in=shots)
    photos = list(taken.select_related("inspection", "shot", "image"))
    out = erased.listed(project, {photo.sha256 for photo in photos})
    return offer(project, version.protocol, [photo for photo in photos if photo.sha256 not in out], by)
