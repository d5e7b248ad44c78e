"""The champion's reliability on labels drawn at random that it never saw."""

from __future__ import annotations

import numpy as np
from django.db import connection

from inference.drift import calibration_test
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.learning.accuracy import JUDGES, NEWEST
from labeling.learning.models import ModelVersion
from labeling.monitors.models import Monitor, MonitorThresholds, ReadingState
from labeling.monitors.reading import Reading, alert_if

#: How many labels it takes.
LEAST = 50
#: An error beyond the threshold alerts only where chance explains it no better than this.
LEVEL = 0.005

# Drawn by lot after the snapshot was made: by the audit of everything, or among what this version decided. A photo that
# people hold or call unusable is of no class, and has no part in what a probability of a class means.
_LABELS = f"""
SELECT t.id, t.item_id, t.label_class_id, s.predicted_id, s.probabilities
FROM truth_groundtruth t
JOIN catalog_item i ON i.id = t.item_id
JOIN learning_score s ON s.item_id = t.item_id AND s.model_version_id = %(model)s
WHERE {JUDGES}
  AND (i.audit_drawn_at > %(made)s
       OR EXISTS (SELECT 1 FROM frontier_automaticdecision a
                  WHERE a.item_id = t.item_id AND a.audit AND a.mode = 'on' AND a.model_version_id = %(model)s))
ORDER BY t.id DESC LIMIT %(limit)s
"""  # noqa: S608


def calibration_reading(project: Project, model: ModelVersion, thresholds: MonitorThresholds) -> Reading:
    """Alerts where the expected calibration error is beyond the threshold and beyond what chance explains."""
    resolution = class_resolution(project)
    with connection.cursor() as cursor:
        cursor.execute(
            _LABELS,
            {
                "model": model.pk,
                "project": project.pk,
                "snapshot": model.snapshot.ground_truth_ids,
                "made": model.snapshot.created_at,
                "limit": NEWEST,
            },
        )
        rows = cursor.fetchall()
    # A class that was retired since is no truth any more.
    rows = [row for row in rows if resolution.get(row[2]) is not None]
    evidence = f"v{model.number} {rows[0][0] if rows else 0} {len(rows)} {thresholds.calibration:g}"
    if len(rows) < LEAST:
        return Reading(
            Monitor.CALIBRATION,
            ReadingState.NOT_ENOUGH,
            evidence,
            threshold=thresholds.calibration,
            figures={"n": len(rows), "least": LEAST},
            model_version=model,
        )
    confidence = np.array([max(proba) for *_rest, proba in rows])
    right = np.array(
        [
            resolution.get(settled) == resolution.get(predicted)
            for _id, _item, settled, predicted, _proba in rows
        ]
    )
    found = calibration_test(confidence, right)
    return Reading(
        Monitor.CALIBRATION,
        alert_if(found.ece > thresholds.calibration and found.p_value <= LEVEL),
        evidence,
        value=found.ece,
        p_value=found.p_value,
        threshold=thresholds.calibration,
        figures={
            "n": found.n,
            "stated": found.stated,
            "right": found.right,
            "wrong": int((~right).sum()),
            "chance": found.chance,
            "level": LEVEL,
        },
        item_ids=[rows[i][1] for i in found.drivers],
        model_version=model,
    )
