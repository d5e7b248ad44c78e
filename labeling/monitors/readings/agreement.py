"""Agreement of labelers: the share of the newest photos on which all blind answers agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.learning.templatetags.figures import percent
from labeling.monitors.models import Monitor, MonitorReading, MonitorThresholds, ReadingState
from labeling.monitors.reading import PEOPLE_AND_QUEUE, Reader, Reading, alert_if
from labeling.monitors.scales import SHARE
from labeling.monitors.spec import Link, MonitorSpec, Threshold
from labeling.truth.estimates import Proportion

#: Photos with all their answers that agreement is counted on, the newest; fewer than ``LEAST`` say nothing.
PHOTOS, LEAST = 100, 20
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
SELECT n.item_id, n.last, count(*),  -- not of what was offered to one person first, whose answer decided on a second
       count(DISTINCT CASE WHEN a.kind = 'class' THEN coalesce(r.new_id, a.label_class_id)::text ELSE a.kind END)
FROM newest n
JOIN truth_annotation a ON a.item_id = n.item_id AND a.round = n.round AND a.draw IN ('rank', 'audit')
     AND NOT EXISTS (SELECT 1 FROM truth_retraction u WHERE u.annotation_id = a.id)
LEFT JOIN resolution r ON r.old_id = a.label_class_id
WHERE EXISTS (SELECT 1 FROM truth_groundtruth t WHERE t.item_id = n.item_id)
   OR EXISTS (SELECT 1 FROM truth_dispute d WHERE d.item_id = n.item_id)
GROUP BY n.item_id, n.round, n.last HAVING count(*) >= 2 AND NOT bool_or(a.context @> '{"wanted": 1}')
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
        alert_if(agreed.high < thresholds.agreement),
        evidence,
        value=agreed.share,
        low=agreed.low,
        high=agreed.high,
        threshold=thresholds.agreement,
        figures=figures,
        item_ids=split[:SHOWN],
    )


class Agreement(MonitorSpec):
    key = Monitor.AGREEMENT
    purpose = gettext_lazy("Do blind answers agree?")
    advice = gettext_lazy(
        "See the photos in review, and make the criteria say what people differ on. Bands nearer to the boundary are "
        "harder, so some drop is natural when one opens."
    )
    scale = SHARE
    reader = Reader(PEOPLE_AND_QUEUE, lambda look: [agreement_reading(look.project, look.thresholds)])
    thresholds = (
        Threshold(
            "agreement",
            gettext_lazy("Agreement wanted, in % of photos"),
            gettext_lazy("Until somebody sets it, what a band needs to open the next."),
            percent=True,
        ),
    )
    photos = gettext_lazy("Latest disagreements")
    link = Link("review", gettext_lazy("Review"))

    def found(self, reading: MonitorReading) -> str:
        return _("Blind answers agree on %(share)s of the newest %(n)d photos") % {
            "share": percent(reading.value),
            "n": reading.figures["photos"],
        }

    def missing(self, figures: Mapping[str, Any]) -> str:
        return _("%(photos)d of %(least)d photos have all their blind answers") % figures


SPEC = Agreement()
