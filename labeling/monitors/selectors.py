"""What the monitors' page and API show: a card a monitor, its readings, its alert, the photos that drive it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from labeling.catalog.models import Item, Project
from labeling.charts.figure import Figure
from labeling.jobs.models import Job, JobState
from labeling.monitors.chart import chart
from labeling.monitors.models import MonitorAlert, MonitorReading, ReadingState
from labeling.monitors.registry import SPECS
from labeling.monitors.services import JOB_KIND
from labeling.monitors.spec import MonitorSpec, Part

#: Readings drawn and listed.
SHOWN = 60
PHOTOS = 12
EARLIER_ALERTS = 20


@dataclass(frozen=True)
class ReadingInWords:
    reading: MonitorReading
    value: str
    detail: str
    threshold: str


@dataclass(frozen=True)
class MonitorCard:
    """One monitor. ``readings``: the newest first; ``alert``: the one that is open."""

    spec: MonitorSpec
    readings: list[MonitorReading]
    alert: MonitorAlert | None
    photos: list[Item]
    plot: Figure | None

    @property
    def newest(self) -> MonitorReading | None:
        return self.readings[0] if self.readings else None

    @property
    def finding(self) -> str:
        return self.spec.finding(self.newest) if self.newest else str(self.spec.purpose)

    @cached_property
    def told(self) -> ReadingInWords | None:
        return _in_words(self.spec, self.newest) if self.newest else None

    @cached_property
    def rows(self) -> list[ReadingInWords]:
        return [_in_words(self.spec, each) for each in self.readings if each.state != ReadingState.NOT_ENOUGH]

    @cached_property
    def parts(self) -> Sequence[Part]:
        return self.spec.parts(self.newest) if self.newest else ()

    @property
    def photos_title(self) -> Any:
        return self.spec.photos if self.alert else self.spec.quiet_photos or self.spec.photos

    @property
    def acknowledged(self) -> Any:
        return getattr(self.alert, "acknowledgement", None) if self.alert else None


@dataclass(frozen=True)
class MonitorsPage:
    """All cards (those with an open alert first, those without a value last), and the look under way or the failed one."""

    cards: list[MonitorCard]
    live: Job | None
    failed: Job | None
    looked_at: datetime | None
    earlier: list[MonitorAlert]

    @property
    def open(self) -> int:
        return sum(card.alert is not None for card in self.cards)


def open_alerts(project: Project) -> int:
    return MonitorAlert.objects.open().filter(project=project).count()


def unseen_alerts(projects: Sequence[Project]) -> Counter[int]:
    """Project id -> open alerts that nobody has acknowledged yet, in one query."""
    return Counter(unacknowledged(projects).order_by().values_list("project", flat=True))


def unacknowledged(projects: Sequence[Project]) -> QuerySet[MonitorAlert]:
    return MonitorAlert.objects.open().filter(project__in=projects, acknowledgement__isnull=True)


def readings(project: Project, monitor: str) -> list[MonitorReading]:
    """The newest ``SHOWN`` of a monitor, newest first."""
    return list(
        MonitorReading.objects.filter(project=project, monitor=monitor).select_related("model_version")[
            :SHOWN
        ]
    )


def monitors_page(project: Project) -> MonitorsPage:
    alerts = {
        alert.monitor: alert
        for alert in MonitorAlert.objects.open()
        .filter(project=project)
        .select_related("reading", "acknowledgement__by")
    }
    series = [(spec, readings(project, spec.key)) for spec in SPECS]
    photos = _driving_photos(rows[0] for _spec, rows in series if rows)
    cards = [
        MonitorCard(
            spec=spec,
            readings=rows,
            alert=alerts.get(spec.key),
            photos=[photos[item] for item in (rows[0].item_ids[:PHOTOS] if rows else ()) if item in photos],
            plot=chart(spec, rows[::-1]),
        )
        for spec, rows in series
    ]
    # Stable: within each group the monitors keep their order.
    cards.sort(key=lambda card: (card.alert is None, card.plot is None))
    looks = Job.objects.of_project(project.pk).filter(kind=JOB_KIND).order_by("-created_at")
    over = looks.filter(finished_at__isnull=False).first()
    return MonitorsPage(
        cards=cards,
        live=looks.live().first(),
        failed=over if over is not None and over.state == JobState.FAILED else None,
        looked_at=looks.filter(state=JobState.SUCCEEDED).values_list("finished_at", flat=True).first(),
        earlier=list(
            MonitorAlert.objects.filter(project=project, closing__isnull=False).select_related(
                "closing", "acknowledgement__by", "reading__model_version"
            )[:EARLIER_ALERTS]
        ),
    )


def _driving_photos(newest: Iterable[MonitorReading]) -> dict[int, Item]:
    ids = {item for reading in newest for item in reading.item_ids[:PHOTOS]}
    return Item.objects.select_related("image").in_bulk(ids)


def _in_words(spec: MonitorSpec, reading: MonitorReading) -> ReadingInWords:
    return ReadingInWords(reading, spec.value(reading), spec.detail(reading), spec.threshold(reading))
