"""Age of the queue: how long the oldest photo waits for people, and whether they settle as many as arrive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Item, Project
from labeling.monitors.models import Monitor, MonitorReading, MonitorThresholds, ReadingState
from labeling.monitors.reading import PEOPLE_AND_QUEUE, Reader, Reading, alert_if
from labeling.monitors.scales import DAYS
from labeling.monitors.spec import MonitorSpec, Threshold
from labeling.queue.places import ARRIVALS
from labeling.queue.placing import current_ranking
from labeling.truth.models import GroundTruth, Origin

SHOWN = 12
OVER = timedelta(days=7)

# In the order of arrival, so that each half ends with the twelfth. What the machine decided lies beyond the arrivals and
# waits for nobody; a photo in review has left the queue, and still waits for a person.
_OLDEST = """
WITH waits AS (
    (SELECT e.item_id FROM queue_entry e WHERE e.ranking_id = %(ranking)s AND e.band <= %(arrivals)s
     ORDER BY e.item_id LIMIT %(shown)s)
    UNION
    (SELECT d.item_id FROM truth_opendispute o JOIN truth_dispute d ON d.id = o.dispute_id WHERE o.project_id = %(project)s
     ORDER BY d.item_id LIMIT %(shown)s)
)
SELECT i.id, i.added_at FROM waits JOIN catalog_item i ON i.id = waits.item_id ORDER BY i.id LIMIT %(shown)s
"""


def oldest_waiting(project: Project, *, shown: int = SHOWN) -> list[tuple[int, datetime]]:
    """The photos that wait for people the longest: item id, and when it came."""
    with connection.cursor() as cursor:
        cursor.execute(
            _OLDEST,
            {"project": project.pk, "ranking": _ranking(project), "arrivals": ARRIVALS, "shown": shown},
        )
        return list(cursor.fetchall())


def days_since(moment: datetime) -> float:
    return (timezone.now() - moment).total_seconds() / 86_400


def _ranking(project: Project) -> int:
    found = current_ranking(project)
    return found.pk if found is not None else 0


def queue_reading(project: Project, thresholds: MonitorThresholds) -> Reading:
    """Age in days of the oldest photo that waits for people; 0 when none does."""
    now = timezone.now()
    oldest = oldest_waiting(project)
    figures = _flow(project, _ranking(project))
    evidence = f"{now:%Y-%m-%d %H:%M} {oldest[:1]} {figures['waiting']} {thresholds.queue_days}"[:160]
    if not figures["pool"]:
        return Reading(
            Monitor.QUEUE,
            ReadingState.NOT_ENOUGH,
            "no photo",
            threshold=thresholds.queue_days,
            figures=figures,
        )
    days = days_since(oldest[0][1]) if oldest else 0.0
    return Reading(
        Monitor.QUEUE,
        alert_if(days > thresholds.queue_days),
        evidence,
        value=days,
        threshold=thresholds.queue_days,
        figures=figures,
        item_ids=[item for item, _at in oldest],
    )


def _flow(project: Project, ranking: int) -> dict[str, Any]:
    """Photos that came and that people settled in the last seven days, that wait, and the whole pool."""
    since = timezone.now() - OVER
    items = Item.objects.filter(project=project)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM queue_entry WHERE ranking_id = %s AND band <= %s", [ranking, ARRIVALS]
        )
        (waiting,) = cursor.fetchone()
    return {
        "days": OVER.days,
        "arrived": items.filter(added_at__gte=since).count(),
        "settled": GroundTruth.objects.current()
        .filter(project=project, created_at__gte=since)
        .exclude(origin=Origin.GOLD)
        .count(),
        "waiting": waiting,
        "pool": items.count(),
    }


class Queue(MonitorSpec):
    key = Monitor.QUEUE
    purpose = gettext_lazy("How long does the oldest photo wait?")
    advice = gettext_lazy(
        "More photos arrive than people settle, or some are left behind. Add labelers, settle open reviews, or let "
        "certified bands be decided by the machine."
    )
    scale = DAYS
    reader = Reader(PEOPLE_AND_QUEUE, lambda look: [queue_reading(look.project, look.thresholds)])
    thresholds = (
        Threshold(
            "queue_days",
            gettext_lazy("Oldest waiting photo, in days"),
            gettext_lazy("A large number where photos may wait as long as they like."),
        ),
    )
    photos = gettext_lazy("Longest waiting photos")

    def found(self, reading: MonitorReading) -> str:
        if not reading.item_ids:
            return _("No photo waits for people")
        return _("The oldest photo has waited for %(time)s") % {"time": self.value(reading)}

    def missing(self, figures: Mapping[str, Any]) -> str:
        return _("There are no photos yet")

    def interval(self, reading: MonitorReading) -> str:
        flow: dict[str, Any] = reading.figures
        return _("%(arrived)d came and %(settled)d were settled in %(days)d days; %(waiting)d wait") % flow

    def alerts_at(self, threshold: float) -> str:
        return _("alerts after %(limit)s") % {"limit": self.scale.text(threshold)}


SPEC = Queue()
