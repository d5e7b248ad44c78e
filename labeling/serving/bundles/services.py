"""Ask for the bundle of a model version, and find the one that was made last."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.jobs.models import Job, JobQuerySet, JobState
from labeling.jobs.services import enqueue
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.store.folders import BUNDLES

JOB_KIND = "bundle"
#: Of the file, sent at once.
_PIECE = 2**20


@dataclass(frozen=True)
class Bundle:
    """One that was made: ``version`` by its number, ``folder`` in the store."""

    version: int
    made_at: datetime
    sha256: str
    bytes: int
    folder: str

    def pieces(self) -> Iterator[builtins.bytes]:
        """The zip, a piece at a time. Raises :class:`FileNotFoundError` where the store lost it."""
        with (BUNDLES.get(self.folder) / "bundle.zip").open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def jobs(project: Project) -> JobQuerySet:
    """Newest first."""
    return (
        Job.objects.of_project(project.pk)
        .filter(kind=JOB_KIND)
        .select_related("requested_by")
        .order_by("-created_at")
    )


def newest(project: Project) -> Bundle | None:
    """Each takes the place of the one before it, so there is one at most."""
    job = jobs(project).filter(state=JobState.SUCCEEDED).first()
    if job is None or job.result is None or job.finished_at is None:
        return None
    return Bundle(made_at=job.finished_at, **job.result)


def readable(project: Project) -> Bundle:
    """The newest, whose file is there. Raises :class:`Refused` ``not_made`` (409)."""
    found = newest(project)
    try:
        if found is not None and (BUNDLES.get(found.folder) / "bundle.zip").is_file():
            return found
    except FileNotFoundError:
        pass
    raise Refused("not_made", _("There is no bundle yet. Ask for one first: a worker writes it in a minute."))


@transaction.atomic
def request_bundle(*, project: Project, by: User | None) -> Job:
    """A job that writes the champion's bundle as of then; the one under way, if there is one.

    Raises :class:`Refused` ``no_champion`` (409).
    """
    best = champion(project)
    if best is None:
        raise Refused(
            "no_champion", _("There is no champion to take out. Train a model and promote it first.")
        )
    return enqueue(
        kind=JOB_KIND,
        queue="gpu",
        project_id=project.pk,
        args={"version": best.number},
        requested_by=by,
        dedupe=f"{JOB_KIND}:{project.pk}:{best.number}",
        lock=f"{JOB_KIND}:{project.pk}",
    )
