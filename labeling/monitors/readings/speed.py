"""Speed of labelers: how long the newest answers took, against those before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Project
from labeling.monitors.models import Monitor, MonitorReading, MonitorThresholds, ReadingState
from labeling.monitors.reading import PEOPLE_AND_QUEUE, Reader, Reading, alert_if
from labeling.monitors.scales import SECONDS
from labeling.monitors.spec import Limit, Link, MonitorSpec, Threshold
from labeling.truth.estimates import Z_95

#: Newest answers whose median time is held against that of those before.
ANSWERS, LEAST_ANSWERS, BEFORE = 100, 30, 1000

_TIMES = """
SELECT a.id, a.view_ms FROM truth_annotation a
WHERE a.project_id = %s AND a.draw IN ('rank', 'audit', 'gold')
  AND NOT EXISTS (SELECT 1 FROM truth_retraction u WHERE u.annotation_id = a.id)
ORDER BY a.id DESC LIMIT %s
"""


def speed_reading(project: Project, thresholds: MonitorThresholds) -> Reading:
    """Median seconds an answer, the newest against those before; alerts when surely faster or slower by the factor."""
    with connection.cursor() as cursor:
        cursor.execute(_TIMES, [project.pk, ANSWERS + BEFORE])
        rows = cursor.fetchall()
    now = sorted(ms / 1000 for _id, ms in rows[:ANSWERS])
    before = sorted(ms / 1000 for _id, ms in rows[ANSWERS:])
    evidence = f"{rows[0][0] if rows else 0} {len(rows)} {thresholds.speed}"
    figures: dict[str, Any] = {"answers": len(now), "before_answers": len(before)}
    figures |= {"least": ANSWERS + LEAST_ANSWERS, "factor": thresholds.speed}
    if len(before) < LEAST_ANSWERS:
        return Reading(Monitor.SPEED, ReadingState.NOT_ENOUGH, evidence, figures=figures)
    usual, median = _median(before), _median(now)
    low, high = _median_interval(now)
    slow, fast = usual * thresholds.speed, usual / thresholds.speed
    figures |= {"before": usual, "slow": slow, "fast": fast}
    return Reading(
        Monitor.SPEED,
        alert_if(low > slow or high < fast),
        evidence,
        value=median,
        low=low,
        high=high,
        threshold=fast if median < usual else slow,
        figures=figures,
    )


def _median(ordered: list[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _median_interval(ordered: list[float]) -> tuple[float, float]:
    """95 % by order statistics: the median lies between the ranks n/2 ± z √n/2 (Conover 1999, section 3.2)."""
    n = len(ordered)
    half = Z_95 * n**0.5 / 2
    low, high = int(n / 2 - half), int(n / 2 + half + 1)
    return ordered[max(0, low - 1)], ordered[min(n, high) - 1]


class Speed(MonitorSpec):
    key = Monitor.SPEED
    purpose = gettext_lazy("Do answers take as long as before?")
    advice = gettext_lazy(
        "Much faster may be guessing: compare with gold and agreement on the Labelers page. Much slower may be harder "
        "photos, unclear criteria, or a slow connection."
    )
    scale = SECONDS
    reader = Reader(PEOPLE_AND_QUEUE, lambda look: [speed_reading(look.project, look.thresholds)])
    thresholds = (
        Threshold(
            "speed",
            gettext_lazy("Speed: factor faster or slower"),
            gettext_lazy("The newest 100 answers against up to 1,000 before them."),
        ),
    )
    link = Link("labelers", gettext_lazy("Labelers"), admins_only=True)

    def found(self, reading: MonitorReading) -> str:
        now, before = reading.value, reading.figures["before"]
        if reading.state != ReadingState.ALERT:
            text = _("An answer takes %(now)s; before it took %(before)s")
        elif (now or 0) < before:
            text = _("Answers come much faster than before: %(now)s a photo, was %(before)s")
        else:
            text = _("Answers come much slower than before: %(now)s a photo, was %(before)s")
        return text % {"now": self.scale.text(now), "before": self.scale.text(before)}

    def missing(self, figures: Mapping[str, Any]) -> str:
        return _("%(n)d of %(least)d answers so far") % {
            "n": figures["answers"] + figures["before_answers"],
            "least": figures["least"],
        }

    def threshold(self, reading: MonitorReading) -> str:
        if "fast" not in reading.figures:
            return ""
        return _("alerts when surely below %(fast)s or above %(slow)s") % {
            "fast": self.scale.text(reading.figures["fast"]),
            "slow": self.scale.text(reading.figures["slow"]),
        }

    def limits(self, reading: MonitorReading) -> list[Limit]:
        return [Limit(reading.figures["fast"], above=False), Limit(reading.figures["slow"], above=True)]


SPEC = Speed()
