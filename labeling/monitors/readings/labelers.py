"""People: how far their blind answers agree lately, and how fast they are against what they were."""

from __future__ import annotations

from typing import Any

from django.db import connection

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.monitors.models import Monitor, MonitorThresholds, ReadingState
from labeling.monitors.reading import Reading, judged
from labeling.truth.estimates import Z_95, Proportion

#: Photos with all their answers that agreement is counted on, the newest; fewer than ``LEAST`` say nothing.
PHOTOS, LEAST = 100, 20
#: Newest answers whose median time is held against that of those before.
ANSWERS, LEAST_ANSWERS, BEFORE = 100, 30, 1000
#: Photos shown with an alert.
SHOWN = 12

# Gold asks about the person, and a sweep shows what the machine thinks: neither is a blind look at the photo. Only photos
# that are settled or in review count: one that waits for its second answer has not agreed with anybody.
_UNITS = """
WITH resolution AS (
    SELECT * FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS r (old_id, new_id)
), newest AS (
    SELECT item_id, round, max(id) AS last
    FROM (SELECT a.id, a.item_id, a.round FROM truth_annotation a
          WHERE a.project_id = %(project)s AND a.draw IN ('rank', 'audit')
            AND NOT EXISTS (SELECT 1 FROM truth_retraction u WHERE u.annotation_id = a.id)
          ORDER BY a.id DESC LIMIT %(reach)s) recent
    GROUP BY item_id, round
)
SELECT n.item_id, n.last, count(*),
       count(DISTINCT CASE WHEN a.kind = 'class' THEN coalesce(r.new_id, a.label_class_id)::text ELSE a.kind END)
FROM newest n
JOIN truth_annotation a ON a.item_id = n.item_id AND a.round = n.round AND a.draw IN ('rank', 'audit')
     AND NOT EXISTS (SELECT 1 FROM truth_retraction u WHERE u.annotation_id = a.id)
LEFT JOIN resolution r ON r.old_id = a.label_class_id
WHERE EXISTS (SELECT 1 FROM truth_groundtruth t WHERE t.item_id = n.item_id)
   OR EXISTS (SELECT 1 FROM truth_dispute d WHERE d.item_id = n.item_id)
GROUP BY n.item_id, n.round, n.last HAVING count(*) >= 2
ORDER BY n.last DESC LIMIT %(photos)s
"""


def agreement_reading(project: Project, thresholds: MonitorThresholds) -> Reading:
    """Share of the newest finished photos on which all blind answers agree; alerts when surely below the threshold."""
    resolution = {old: new for old, new in class_resolution(project).items() if new is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            _UNITS,
            {
                "project": project.pk,
                "old": list(resolution.keys()),
                "new": list(resolution.values()),
                "photos": PHOTOS,
                "reach": 4 * PHOTOS * max(2, project.answers_per_image),
            },
        )
        rows = cursor.fetchall()
    split = [item for item, _last, _answers, values in rows if values > 1]
    agreed = Proportion(len(rows) - len(split), len(rows))
    evidence = f"{rows[0][1] if rows else 0} {len(rows)} {len(split)} {thresholds.agreement}"
    figures = {"photos": len(rows), "agreed": agreed.part, "least": LEAST}
    if len(rows) < LEAST:
        return Reading(
            Monitor.AGREEMENT,
            ReadingState.NOT_ENOUGH,
            evidence,
            threshold=thresholds.agreement,
            figures=figures,
        )
    return Reading(
        Monitor.AGREEMENT,
        judged(agreed.high < thresholds.agreement),
        evidence,
        value=agreed.share,
        low=agreed.low,
        high=agreed.high,
        threshold=thresholds.agreement,
        figures=figures,
        item_ids=split[:SHOWN],
    )


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
        judged(low > slow or high < fast),
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
