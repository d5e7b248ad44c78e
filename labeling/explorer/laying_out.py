"""Ask for a project's photos to be put into their space, and remove what is not needed any more."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.explorer.models import AskedPhoto, Space
from labeling.explorer.search import asking, by_words
from labeling.explorer.spaces import current_space
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import LAST, enqueue
from labeling.people.models import User
from labeling.store.folders import STAGING

JOB_KIND = "space"


@transaction.atomic
def request_space(*, project: Project, by: User | None = None, anew: bool = False) -> Job:
    """A job that gives every photo with an embedding its place, where it has none.

    ``anew``: all of them get another one, by a fit to all that are there by now. A job that still waits will see the
    caller's photos too, and is returned instead; a running one may have passed them by.
    """
    waiting = (
        Job.objects.of_project(project.pk)
        .filter(kind=JOB_KIND, state=JobState.QUEUED, cancel_requested_at__isnull=True, args={"anew": anew})
        .select_for_update()
        .first()
    )
    if waiting is not None:
        return waiting
    return enqueue(
        kind=JOB_KIND,
        project_id=project.pk,
        args={"anew": anew},
        requested_by=by,
        lock=f"{JOB_KIND}:{project.pk}",
        priority=LAST,
    )


def tidy_up() -> None:
    """Drop spaces in whose place others are, forget what was sent to compare with, and ask for spaces that are missing."""
    AskedPhoto.objects.filter(created_at__lt=timezone.now() - timedelta(days=AskedPhoto.DAYS)).delete()
    by_words.forget_old()
    awaited = set(Job.objects.live().filter(kind=asking.JOB_KIND).values_list("args__staged", flat=True))
    for staged in STAGING.names() - awaited:
        if staged.startswith(asking.STAGED):  # its worker was killed once too often
            STAGING.drop(staged)
    for project in Project.objects.filter(archived_at__isnull=True):
        space = current_space(project)
        for old in Space.objects.filter(project=project).defer("projection"):
            if old != space:
                drop(old)
        if space is None and project.items.exists():
            request_space(project=project)


def drop(space: Space) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {space.table}")
        space.delete()
