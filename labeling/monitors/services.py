"""Looks are asked for, readings kept, alerts opened, closed and acknowledged, thresholds set. All of it is appended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.catalog.services import log_activity
from labeling.catalog.versions import append_version
from labeling.frontier.services import audit_closely
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import LAST, NORMAL, enqueue
from labeling.learning.selectors import champion
from labeling.monitors.models import (
    AlertAcknowledgement,
    AlertClosing,
    Monitor,
    MonitorAlert,
    MonitorReading,
    MonitorThresholds,
    ReadingState,
)
from labeling.monitors.reading import Reading
from labeling.monitors.registry import THRESHOLDS
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.notes import kept_whole
from labeling.truth.models import Annotation

JOB_KIND = "monitor"
#: Their alerts say that other photos come than the champion was made for: the machine's decisions are audited more.
OF_PHOTOS = frozenset({Monitor.EMBEDDINGS, Monitor.SCORES, Monitor.BALANCE, Monitor.QUALITY})
#: The thresholds' fields, in the order in which the page asks for them.
FIELDS = tuple(THRESHOLDS)
#: New photos, or answers, that make a look due; without any, one is due after a day, as the queue ages by itself.
DUE_AFTER = 50
DUE_AT_LAST = timedelta(hours=24)
#: What a minute's look finds: longer than a minute, as a look may come late, and no more rows than come in that time.
JUST_NOW = timedelta(minutes=5)
NEWEST = 5000


# -- looks -----------------------------------------------------------------------------------------------------


def request_monitoring(*, project: Project, by: User | None = None) -> Job:
    """Let all monitors look, in the background. By a person: at once, and also where little is new."""
    return enqueue(
        kind=JOB_KIND,
        project_id=project.pk,
        args={"asked": True} if by else {},
        requested_by=by,
        dedupe=f"{JOB_KIND}:{project.pk}" + (":asked" if by else ""),
        lock=f"{JOB_KIND}:{project.pk}",
        priority=NORMAL if by else LAST,
    )


def monitor_when_due(*, project: Project) -> Job | None:
    """A look, where enough is new since the last one: photos, answers, another champion, or a day."""
    return request_monitoring(project=project) if is_due(project) else None


def at_work() -> set[int]:
    """Projects with answers or photos of the last minutes: the newest rows are read, however many projects there are."""
    since = timezone.now() - JUST_NOW
    found: set[int] = set()
    for rows, moment in ((Annotation.objects.all(), "created_at"), (Item.objects.all(), "added_at")):
        newest = rows.order_by("-pk").values_list("project_id", moment)[:NEWEST]
        found |= {project for project, at in newest if at >= since}
    return found


def is_due(project: Project) -> bool:
    """A few index look-ups: they do not grow with the pool."""
    last = (
        Job.objects.of_project(project.pk)
        .filter(kind=JOB_KIND, finished_at__isnull=False)
        .order_by("-created_at")
        .first()
    )
    if last is not None and last.finished_at is not None:
        if last.finished_at < timezone.now() - DUE_AT_LAST:
            return True
        if last.state != JobState.SUCCEEDED:
            return False
    seen: dict[str, Any] = (last.result if last else None) or {}
    model = champion(project)
    if (model.pk if model else None) != seen.get("model"):
        return True
    answers = Annotation.objects.filter(project=project, pk__gt=seen.get("newest_answer", 0))
    if _at_least(answers, DUE_AFTER):
        return True
    photos = Item.objects.filter(project=project, pk__gt=seen.get("newest_item", 0))
    # Before the first model new photos are compared with nothing.
    return model is not None and _at_least(photos, DUE_AFTER)


def _at_least(rows: QuerySet[Any], count: int) -> bool:
    return len(rows.values("pk")[:count]) >= count


# -- readings and alerts ---------------------------------------------------------------------------------------


@transaction.atomic
def record(*, project: Project, readings: Sequence[Reading], job: Job | None = None) -> tuple[int, int]:
    """Keep what is new of these readings; open and close alerts by them. Returns (readings kept, alerts opened).

    An alert is open until a later reading of its monitor is fine, or is of another model version.
    """
    # Two looks at the same time would each open an alert.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    kept = opened = 0
    for reading in readings:
        last = MonitorReading.objects.filter(project=project, monitor=reading.monitor).first()
        if last is not None and last.evidence == reading.evidence:
            continue
        row = MonitorReading.objects.create(
            project=project,
            monitor=reading.monitor,
            state=reading.state,
            value=reading.value,
            low=reading.low,
            high=reading.high,
            p_value=reading.p_value,
            threshold=reading.threshold,
            figures=reading.figures,
            item_ids=reading.item_ids,
            evidence=reading.evidence,
            model_version=reading.model_version,
            job=job,
        )
        kept += 1
        opened += _alert(project, row)
    return kept, opened


def _alert(project: Project, reading: MonitorReading) -> int:
    """How many alerts it opened: 0 or 1."""
    alert = (
        MonitorAlert.objects.open()
        .filter(project=project, monitor=reading.monitor)
        .select_related("reading")
        .first()
    )
    if reading.state == ReadingState.ALERT and alert is None:
        MonitorAlert.objects.create(project=project, monitor=reading.monitor, reading=reading)
        if reading.monitor in OF_PHOTOS:
            audit_closely(project=project, reason=reading.monitor)
        log_activity(
            project=project,
            kind="monitor_alert",
            monitor=reading.monitor,
            value=reading.value,
            threshold=reading.threshold,
        )
        return 1
    if alert is not None and reading.state != ReadingState.ALERT:
        replaced = alert.reading.model_version_id != reading.model_version_id
        if reading.state == ReadingState.OK or replaced:
            AlertClosing.objects.create(alert=alert, reading=reading)
            log_activity(project=project, kind="monitor_closed", monitor=reading.monitor, value=reading.value)
    return 0


@transaction.atomic
def acknowledge(*, alert: MonitorAlert, by: User, note: str) -> AlertAcknowledgement:
    """Say that somebody has seen it and what is done. The alert stays open until a reading is fine.

    Raises :class:`Refused` ``invalid`` (422) without a note, or with one that is too long to keep; ``acknowledged`` (409)
    the second time.
    """
    alert = MonitorAlert.objects.select_for_update().get(pk=alert.pk)
    if not note.strip():
        raise Refused.invalid("note", _("Say what is done about it: it is kept."), short=_("missing"))
    if AlertAcknowledgement.objects.filter(alert=alert).exists():
        raise Refused("acknowledged", _("This alert was acknowledged before. Nothing was changed."))
    said = AlertAcknowledgement.objects.create(alert=alert, by=by, note=kept_whole(note, field="note"))
    log_activity(
        project=alert.project,
        kind="monitor_acknowledged",
        actor=by,
        monitor=alert.monitor,
        note=said.note,
    )
    return said


# -- thresholds ------------------------------------------------------------------------------------------------


def thresholds_of(project: Project) -> MonitorThresholds:
    """The newest; the defaults, not stored, where nobody has set any. Agreement's is then what bands ask for."""
    return MonitorThresholds.objects.filter(project=project).first() or MonitorThresholds(
        project=project, agreement=project.band_agreement
    )


@transaction.atomic
def set_thresholds(*, project: Project, by: User, reason: str = "", **changes: Any) -> MonitorThresholds:
    """Append thresholds that differ in ``changes`` (of :data:`FIELDS`), and look again by them.

    Raises :class:`Refused` ``invalid`` (422) for a value out of range, or a reason that is too long to keep.
    """
    thresholds, changed = append_version(
        project=project,
        by=by,
        in_force=thresholds_of,
        fields=FIELDS,
        changes=changes,
        reason=reason,
        kind="monitor_thresholds",
    )
    if changed:
        request_monitoring(project=project, by=by)
    return thresholds


def monitor_named(name: str) -> str:
    """The monitor's name in words; the name itself where it is none that we know."""
    return str(Monitor(name).label) if name in Monitor.values else name
