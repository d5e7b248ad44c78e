"""How people work in a project, measured from what they answered: for the catalog, which asks it of whoever knows."""

from __future__ import annotations

from django.db import connection

from labeling.catalog.models import Project
from labeling.truth.estimates import Proportion
from labeling.truth.models import Draw
from labeling.truth.quality import agreement, settled_count
from labeling.truth.tallies import counts, photos

#: Longest time that one ruling counts for: who leaves the screen does not work.
RULING_CAP_S = 180

# The time since the same person's ruling before, where they went on at once.
_RULINGS = """
SELECT count(*), coalesce(sum(gap), 0)::float8
FROM (SELECT extract(epoch FROM r.created_at - lag(r.created_at)
                     OVER (PARTITION BY r.reviewer_id ORDER BY r.created_at, r.id)) AS gap
      FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
      WHERE d.project_id = %s AND r.reviewer_id IS NOT NULL) each
WHERE gap <= %s
"""


def measured(project: Project) -> dict[str, float]:
    """As :class:`~labeling.catalog.work.Work` names it, each figure with from how many it is."""
    blind = [
        each for each in counts(project, "labelers") if each.key[2] != Draw.SWEEP and each.key[3] == "stands"
    ]
    answers, answer_s = sum(each.n for each in blind), sum(each.amount for each in blind) / 1000
    with connection.cursor() as cursor:
        cursor.execute(_RULINGS, [project.pk, RULING_CAP_S])
        rulings, ruling_s = cursor.fetchone()
    agreed = agreement(project)
    pairs = round(sum(band.pairs for band in agreed["bands"]))
    alike = Proportion(round((agreed["observed"] or 0.0) * pairs), pairs)
    return {
        "answers": answers,
        "answer_s": answer_s / answers if answers else 0.0,
        "rulings": rulings,
        "ruling_s": ruling_s / rulings if rulings else 0.0,
        "pairs": pairs,
        "agree": alike.share or 0.0,
        "agree_low": alike.low,
        "agree_high": alike.high,
        "open": max(photos(project) - settled_count(project), 0),
    }
