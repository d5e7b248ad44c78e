"""The erasure's jobs. Only a worker loads this module."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django import app

from labeling.erasure import erasing, keeping_out, limits, people
from labeling.erasure.asking import JOB_KIND, request_work
from labeling.erasure.models import ErasedPhoto, Erasure
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress


@handles(JOB_KIND)
def erase(progress: Progress) -> dict[str, Any]:
    return erasing.work(progress)


# A worker that starts makes up for the last run it missed: so a restored backup is looked through within minutes.
@app.periodic(cron="*/30 * * * *")
@app.task(name="hilltop.erase_due", queue="cpu", queueing_lock="hilltop.erase_due")
def erase_due(timestamp: int) -> None:
    """What is due, what was cut off, and what had been erased and is here again."""
    keeping_out.erase_again()
    held = Q(pk__in=ErasedPhoto.objects.held().values("erasure"))
    waiting = (
        Q(undone_at__isnull=True, due_at__lte=timezone.now())
        | Q(photos__taken_at__isnull=True)
        | Q(looks_from__isnull=False)
        | held & Q(undone_at__isnull=False)
    )
    for erasure in Erasure.objects.filter(waiting, gone_at__isnull=True).distinct():
        request_work(erasure)
    people.erase_people_due()


@app.periodic(cron="53 1 * * *")
@app.task(name="hilltop.erase_over", queue="cpu", queueing_lock="hilltop.erase_over")
def erase_over(timestamp: int) -> None:
    """Every night: photos whose project keeps them no longer, and what of erased ones lies in the store all the same."""
    limits.erase_what_is_over()
    keeping_out.sweep_store(timestamp // 86_400)
