"""What the monitors' page and API show: a card a monitor, its readings, its alert, the photos that drive it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import photo_urls
from labeling.charts.figure import Figure
from labeling.jobs.models import Job, JobState
from labeling.learning.templatetags.figures import percent, share
from labeling.monitors import wording
from labeling.monitors.chart import chart
from labeling.monitors.models import Monitor, MonitorAlert, MonitorReading, ReadingState
from labeling.monitors.services import KIND

#: Readings drawn and listed.
SHOWN = 60
PHOTOS = 12
EARLIER_ALERTS = 20


@dataclass(frozen=True)
class Driver:
    """A photo that drives a reading."""

    item: Item
    thumb: str
    screen: str


@dataclass(frozen=True)
class Row:
    """A reading as a line of the table."""

    reading: MonitorReading
    value: str
    detail: str
    threshold: str


@dataclass(frozen=True)
class Card:
    """One monitor. ``state`` is empty before its first reading; ``alert`` is the one that is open."""

    monitor: str
    name: str
    state: str = ""
    title: str = ""
    newest: MonitorReading | None = None
    value: str = ""
    detail: str = ""
    threshold: str = ""
    advice: str = ""
    plot: Figure | None = None
    rows: list[Row] = field(default_factory=list)
    readings: list[MonitorReading] = field(default_factory=list)
    drivers: list[Driver] = field(default_factory=list)
    measures: list[dict[str, Any]] = field(default_factory=list)
    alert: MonitorAlert | None = None
    needs_model: bool = False

    @property
    def acknowledged(self) -> Any:
        return getattr(self.alert, "acknowledgement", None) if self.alert else None


@dataclass(frozen=True)
class Overview:
    """All cards (those with an open alert first, those without a value last), and the look under way or the failed one."""

    cards: list[Card]
    live: Job | None
    failed: Job | None
    looked_at: datetime | None
    earlier: list[MonitorAlert]

    @property
    def open(self) -> int:
        return sum(card.alert is not None for card in self.cards)


def open_alerts(project: Project) -> int:
    return MonitorAlert.objects.open().filter(project=project).count()


def readings(project: Project, monitor: str) -> list[MonitorReading]:
    """The newest ``SHOWN`` of a monitor, newest first."""
    return list(
        MonitorReading.objects.filter(project=project, monitor=monitor).select_related("model_version")[
            :SHOWN
        ]
    )


def overview(project: Project) -> Overview:
    alerts = {
        alert.monitor: alert
        for alert in MonitorAlert.objects.open()
        .filter(project=project)
        .select_related("reading", "acknowledgement__by")
    }
    series = {monitor: readings(project, monitor) for monitor in Monitor.values}
    drivers = _drivers(rows[0] for rows in series.values() if rows)
    cards = [_card(monitor, series[monitor], alerts.get(monitor), drivers) for monitor in Monitor.values]
    # Stable: within each group the monitors keep their order.
    cards.sort(key=lambda card: (card.alert is None, card.plot is None))
    looks = Job.objects.of_project(project.pk).filter(kind=KIND).order_by("-created_at")
    over = looks.filter(finished_at__isnull=False).first()
    return Overview(
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


def _drivers(newest: Iterable[MonitorReading]) -> dict[int, Driver]:
    ids = {item for reading in newest for item in reading.item_ids[:PHOTOS]}
    found = {}
    for pk, item in Item.objects.select_related("image").in_bulk(ids).items():
        urls = photo_urls(item.image)
        found[pk] = Driver(item, urls["thumb"], urls["screen"])
    return found


def _card(
    monitor: str, rows: list[MonitorReading], alert: MonitorAlert | None, drivers: dict[int, Driver]
) -> Card:
    name = str(Monitor(monitor).label)
    if not rows:
        return Card(monitor, name, title=wording.purpose(monitor), needs_model=wording.needs_model(monitor))
    newest = rows[0]
    return Card(
        monitor=monitor,
        name=name,
        state=newest.state,
        title=wording.finding(newest),
        newest=newest,
        value=wording.value_text(newest),
        detail=wording.interval_text(newest),
        threshold=wording.threshold_text(newest),
        advice=wording.advice(monitor),
        plot=chart(rows[::-1], lambda each: f"{wording.value_text(each)} · {wording.finding(each)}"),
        rows=[
            Row(each, wording.value_text(each), wording.interval_text(each), wording.threshold_text(each))
            for each in rows
            if each.state != ReadingState.NOT_ENOUGH
        ],
        readings=rows,
        drivers=[drivers[item] for item in newest.item_ids[:PHOTOS] if item in drivers],
        measures=_measures(newest),
        alert=alert,
    )


def _measures(reading: MonitorReading) -> list[dict[str, Any]]:
    """What quality, class balance or scores consist of: name, before, now, p (empty where it has none of its own)."""
    if reading.monitor == Monitor.QUALITY:
        return [
            {"name": wording.measure_name(each["name"]), "p": wording.p_text(each["p"])}
            | wording.measure_texts(each)
            for each in reading.figures.get("measures", [])
        ]
    if reading.monitor == Monitor.BALANCE:
        return _classes(reading.figures.get("shares", []), percent)
    if reading.monitor == Monitor.SCORES:
        return _classes(reading.figures.get("medians", []), share)
    return []


def _classes(rows: list[dict[str, Any]], text: Callable[[float], str]) -> list[dict[str, Any]]:
    return [
        {"name": each["class"], "p": "", "before": text(each["before"]), "now": text(each["now"])}
        for each in rows
    ]
