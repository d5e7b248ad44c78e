"""The inspections' jobs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_noop
from procrastinate.contrib.django import app

from config.postgres.outages import is_disk_full, is_outage
from labeling.inspections import catching_up
from labeling.inspections.asking_first import ask_first
from labeling.inspections.capture import recognising
from labeling.inspections.looking import look
from labeling.inspections.models import Inspection, Protocol
from labeling.inspections.process.service_level import overdue, write_down_overdue
from labeling.inspections.wanting import KIND, look_where_wanted
from labeling.jobs.handlers import handles
from labeling.jobs.progress import JobError, Progress
from labeling.jobs.services import QUICK
from labeling.jobs.told import know

log = logging.getLogger(__name__)

AT_ONCE = 250
FAILED = gettext_noop(
    "%(n)s inspections could not be judged, the first of them number %(first)s; all others were. They are tried again each "
    "hour. Tell your administrator, who finds the reason in the worker's log."
)
know([FAILED])


@handles(KIND)
def look_at_inspections(progress: Progress) -> dict[str, Any]:
    """Judge all that wait for it. Returns {seen, appended}."""
    seen = appended = 0
    failed: list[int] = []
    for ids in _waiting():
        for these in _one_by_one_if_need_be(ids, failed):
            seen, appended = seen + these[0], appended + these[1]
        progress.report(seen, message=gettext_noop("Judging inspections"))
    if failed:
        raise JobError(FAILED % {"n": len(failed), "first": failed[0]})
    return {"seen": seen, "appended": appended}


def _waiting() -> Iterator[list[int]]:
    """Ids of all that want a look, the longest waiting first. What is marked meanwhile has a job of its own."""
    rows = Inspection.objects.filter(look_wanted_at__isnull=False).order_by("look_wanted_at", "pk")
    ids = list(rows.values_list("pk", flat=True))
    for first in range(0, len(ids), AT_ONCE):
        yield ids[first : first + AT_ONCE]


def _one_by_one_if_need_be(ids: list[int], failed: list[int]) -> Iterator[tuple[int, int]]:
    """What became of them together; where that fails, of each alone: one inspection stops no other."""
    try:
        yield _look(ids)
    except Exception as error:
        if is_outage(error) or is_disk_full(error):
            raise
        if len(ids) == 1:
            log.exception("inspection %d could not be judged", ids[0])
            failed.append(ids[0])
            return
        for each in ids:
            yield from _one_by_one_if_need_be([each], failed)


def _look(ids: list[int]) -> tuple[int, int]:
    found = look(ids)
    # Behind the transaction: see ``asking_first``.
    ask_first(found.wanted, found.wanted_no_more, by=ids)
    return found.seen, len(found.appended)


@app.periodic(cron="41 * * * *")
@app.task(name="hilltop.look_at_inspections", queue=QUICK, queueing_lock="hilltop.look_at_inspections")
def look_again(timestamp: int) -> None:
    """Every hour: whatever still waits for a look gets one. What is overdue is said where operators read it, and what became
    so is written down, which tells it to whoever wants to hear it."""
    look_where_wanted()
    protocols = {each.pk: each for each in Protocol.objects.filter(archived_at__isnull=True)}
    for pk, n in overdue(protocols.values()).items():
        log.warning("inspections of %s are held beyond its service level: %d", protocols[pk].slug, n)
    write_down_overdue(protocols.values())


@handles(recognising.KIND)
def recognise_shots(progress: Progress) -> dict[str, Any]:
    return recognising.recognise(progress)


@handles(catching_up.KIND)
def ask_earlier_inspections(progress: Progress) -> dict[str, Any]:
    return catching_up.catch_up(progress)
