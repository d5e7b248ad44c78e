"""Newest photos against those that the champion was made for: embeddings, scores, predicted classes, quality.

The reference is a random sample of the photos that were in the project when the champion's snapshot was made, in the order
of their random keys. A photo that the champion learned from stays in it, as leaving it out would leave out what a strategy
liked; its scores are the out-of-fold ones, as what was learned by heart is stated with a confidence that no new photo gets.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from inference.drift import Drift, Photos, compare, level_of
from labeling.catalog.models import LabelClass, Project
from labeling.learning.compute import artifact
from labeling.learning.compute.stores import open_store
from labeling.learning.models import ModelVersion
from labeling.monitors.models import Monitor, MonitorReading, MonitorThresholds, ReadingState
from labeling.monitors.reading import Reading, alert_if
from labeling.truth.models import GroundTruth

#: Photos of the reference at most, and at least.
REFERENCE, LEAST_REFERENCE = 2000, 50
#: A look compares the newest photos, and so many times as many.
LONGER = 3
#: Photos that must have come since the last look, unless somebody asks: looks at much the same photos only cost.
EVERY = 50
QUALITY = ("brightness", "sharpness", "pixels", "bytes")
#: The monitors that this module reads.
MONITORS = (Monitor.EMBEDDINGS, Monitor.SCORES, Monitor.BALANCE, Monitor.QUALITY)

Floats = npt.NDArray[np.float64]

_COLUMNS = """
SELECT i.id, g.sha256, g.brightness, g.sharpness, g.width::float8 * g.height, g.size::float8, s.predicted_id, s.probabilities
FROM catalog_item i
JOIN catalog_image g ON g.id = i.image_id
JOIN learning_score s ON s.item_id = i.id AND s.model_version_id = %(model)s
WHERE i.project_id = %(project)s
"""
_REFERENCE = _COLUMNS + " AND i.added_at <= %(made)s ORDER BY i.random_key LIMIT %(limit)s"
_NEWEST = _COLUMNS + " AND i.added_at > %(made)s ORDER BY i.id DESC LIMIT %(limit)s"


@dataclass(frozen=True)
class Side:
    """Photos that are compared: n ids and hashes, (n, 4) quality, and of m that may be used m classes, (m, k) scores."""

    item_ids: list[int]
    hashes: list[str]
    quality: Floats
    predicted: list[int]
    scores: Floats

    def last(self, count: int) -> Side:
        """The newest ``count``, where every score may be used."""
        return Side(
            self.item_ids[-count:],
            self.hashes[-count:],
            self.quality[-count:],
            self.predicted[-count:],
            self.scores[-count:],
        )


def drift_readings(
    project: Project, model: ModelVersion, thresholds: MonitorThresholds, *, asked: bool
) -> list[Reading]:
    """One reading for each of ``MONITORS``; none where fewer than ``EVERY`` photos came since the last one."""
    reference = _side(_REFERENCE, project, model, REFERENCE, out_of_fold(model))
    newest = _side(_NEWEST, project, model, LONGER * thresholds.window, {})
    arrived = len(newest.item_ids)
    evidence = (
        f"v{model.number} from {newest.item_ids[-1] if arrived else 0} of {thresholds.window} "
        f"at {thresholds.drift_level:g} against {len(reference.item_ids)}"
    )
    if arrived < thresholds.window or len(reference.item_ids) < LEAST_REFERENCE:
        missing = {
            "arrived": arrived,
            "window": thresholds.window,
            "reference": len(reference.item_ids),
            "least": LEAST_REFERENCE,
        }
        return [
            Reading(
                monitor,
                ReadingState.NOT_ENOUGH,
                f"v{model.number} {arrived}/{thresholds.window} {len(reference.item_ids)}",
                threshold=thresholds.drift_level,
                figures=missing,
                model_version=model,
            )
            for monitor in MONITORS
        ]
    looks = MonitorReading.objects.filter(
        project=project, monitor=Monitor.EMBEDDINGS, model_version=model
    ).exclude(state=ReadingState.NOT_ENOUGH)
    if not asked and _seen_lately(looks.first(), newest, thresholds):
        return []
    return _compared(project, model, reference, newest, thresholds, looks.count() + 1, evidence)


def _seen_lately(last: MonitorReading | None, newest: Side, thresholds: MonitorThresholds) -> bool:
    if last is None or last.threshold != thresholds.drift_level:
        return False
    since = sum(item > last.figures["newest"] for item in newest.item_ids)
    return since < EVERY and bool(last.figures["window"] == thresholds.window)


def _compared(
    project: Project,
    model: ModelVersion,
    reference: Side,
    newest: Side,
    thresholds: MonitorThresholds,
    look: int,
    evidence: str,
) -> list[Reading]:
    level = level_of(look, thresholds.drift_level)
    sizes = [thresholds.window]
    if len(newest.item_ids) >= LONGER * thresholds.window:
        sizes.append(LONGER * thresholds.window)
    known = _photos(model, reference)
    # test -> (p over all tests and windows, the test, its window)
    found: dict[str, tuple[float, Drift, Side]] = {}
    for size in sizes:
        window = newest.last(size)
        report = compare(known, _photos(model, window), level=level, seed=look)
        for finding in report.findings:
            p = min(1.0, len(sizes) * finding.adjusted)
            if finding.drift.name not in found or p < found[finding.drift.name][0]:
                found[finding.drift.name] = (p, finding.drift, window)
    keys = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
    tests = {
        Monitor.EMBEDDINGS: ["embeddings"],
        Monitor.SCORES: ["scores"],
        Monitor.BALANCE: ["class balance"],
        Monitor.QUALITY: list(QUALITY),
    }
    readings = []
    for monitor, names in tests.items():
        p, drift, window = _leading([found[name] for name in names if name in found], level, newest)
        figures: dict[str, Any] = {
            "window": thresholds.window,
            "newest": newest.item_ids[-1],
            "arrived": len(newest.item_ids),
        }
        if drift is None:
            readings.append(
                Reading(
                    monitor,
                    ReadingState.NOT_ENOUGH,
                    evidence,
                    threshold=level,
                    figures=figures | {"unembedded": True},
                    model_version=model,
                )
            )
            continue
        figures |= {
            "test": drift.name,
            "statistic": drift.statistic,
            "n": drift.n_window,
            "reference": drift.n_reference,
        }
        if monitor == Monitor.QUALITY:
            figures["measures"] = [_measure(name, found[name], reference) for name in QUALITY]
        elif monitor == Monitor.BALANCE:
            figures["shares"] = _shares(reference, window, keys, model)
        elif monitor == Monitor.SCORES:
            figures["medians"] = _medians(reference, window, keys, model)
        readings.append(
            Reading(
                monitor,
                alert_if(p <= level),
                evidence,
                value=p,
                p_value=p,
                threshold=level,
                figures=figures,
                item_ids=[window.item_ids[i] for i in drift.drivers],
                model_version=model,
            )
        )
    return readings


def _leading(
    found: list[tuple[float, Drift, Side]], level: float, newest: Side
) -> tuple[float, Drift | None, Side]:
    """What a monitor of several tests speaks of: the first that alerts, in their order, else the surest difference."""
    for each in found:
        if each[0] <= level:
            return each
    return min(found, key=lambda each: each[0], default=(1.0, None, newest))


def _measure(name: str, found: tuple[float, Drift, Side], reference: Side) -> dict[str, Any]:
    p, drift, window = found
    column = QUALITY.index(name)
    before, now = (_middle(side.quality[:, column]) for side in (reference, window))
    return {"name": name, "p": p, "statistic": drift.statistic, "before": before, "now": now}


def _middle(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _shares(reference: Side, window: Side, keys: dict[int, str], model: ModelVersion) -> list[dict[str, Any]]:
    """Each class's share of the predictions, before and now."""
    before, now = Counter(reference.predicted), Counter(window.predicted)
    return [
        {
            "class": keys[pk],
            "before": before[pk] / max(1, len(reference.predicted)),
            "now": now[pk] / max(1, len(window.predicted)),
        }
        for pk in model.classes
    ]


def _medians(
    reference: Side, window: Side, keys: dict[int, str], model: ModelVersion
) -> list[dict[str, Any]]:
    """Each class's median probability, before and now."""
    before, now = (np.median(side.scores, axis=0).tolist() for side in (reference, window))
    return [
        {"class": keys[pk], "before": before[column], "now": now[column]}
        for column, pk in enumerate(model.classes)
    ]


def _photos(model: ModelVersion, side: Side) -> Photos:
    return Photos(
        embeddings=_embeddings(model, side.hashes),
        scores=side.scores,
        classes=[str(each) for each in side.predicted],
        quality={name: side.quality[:, i] for i, name in enumerate(QUALITY)},
    )


def _embeddings(model: ModelVersion, hashes: list[str]) -> npt.NDArray[np.float32] | None:
    """(n, d), or None where the store lacks some: it was emptied since these photos were scored."""
    dim = model.manifest.get("dim")
    if not dim:
        return None
    store = open_store(model.backbone_hash, int(dim))
    return None if store.missing(hashes) else store.rows(hashes)


def out_of_fold(model: ModelVersion) -> dict[int, Floats | None]:
    """Photo that the version learned from -> its probabilities (k,) out of fold; None where they are not known."""
    trained: dict[int, Floats | None] = dict.fromkeys(
        GroundTruth.objects.filter(pk__in=model.snapshot.ground_truth_ids).values_list("item_id", flat=True)
    )
    kept = artifact.load_out_of_fold(model)
    if kept is not None:
        trained |= dict(zip(kept.item_ids.tolist(), kept.proba, strict=True))
    return trained


def _side(
    sql: str, project: Project, model: ModelVersion, limit: int, trained: dict[int, Floats | None]
) -> Side:
    """Photos with a score, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {"model": model.pk, "project": project.pk, "made": model.snapshot.created_at, "limit": limit},
        )
        rows = sorted(cursor.fetchall())
    predicted: list[int] = []
    scores: list[Any] = []
    for item, _sha, *_quality, class_id, proba in rows:
        told = trained.get(item)
        if told is not None:
            predicted.append(model.classes[int(np.argmax(told))])
            scores.append(told)
        elif item not in trained:
            predicted.append(class_id)
            scores.append(proba)
    return Side(
        item_ids=[row[0] for row in rows],
        hashes=[row[1] for row in rows],
        quality=np.array(
            [[np.nan if value is None else value for value in row[2:6]] for row in rows], dtype=np.float64
        ).reshape(-1, len(QUALITY)),
        predicted=predicted,
        scores=np.array(scores, dtype=np.float64).reshape(-1, len(model.classes)),
    )
