"""Newest photos against those that the champion was made for: embeddings, scores, predicted classes, quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.drift import Drift, compare, level_of
from labeling.catalog.models import LabelClass, Project
from labeling.learning.models import ModelVersion
from labeling.monitors.compute.samples import QUALITY, Floats, PhotoSample, newest_sample, reference_sample
from labeling.monitors.models import Monitor, MonitorReading, MonitorThresholds, ReadingState
from labeling.monitors.reading import Reading, alert_if

#: Photos of the reference at most, and at least.
REFERENCE, LEAST_REFERENCE = 2000, 50
#: A look compares the newest photos, and so many times as many.
LONGER = 3
#: Photos that must have come since the last look, unless somebody asks: looks at much the same photos only cost.
EVERY = 50


def drift_readings(
    project: Project, model: ModelVersion, thresholds: MonitorThresholds, *, asked: bool
) -> list[Reading]:
    """One reading for each monitor of drift; none where fewer than ``EVERY`` photos came since the last one."""
    reference = reference_sample(model, REFERENCE)
    newest = newest_sample(model, LONGER * thresholds.window)
    if len(newest.item_ids) < thresholds.window or len(reference.item_ids) < LEAST_REFERENCE:
        return _missing(model, reference, newest, thresholds)
    looks = MonitorReading.objects.filter(
        project=project, monitor=Monitor.EMBEDDINGS, model_version=model
    ).exclude(state=ReadingState.NOT_ENOUGH)
    if not asked and _seen_lately(looks.first(), newest, thresholds):
        return []
    compared = _compared(model, reference, newest, thresholds, look=looks.count() + 1)
    return [_reading(monitor, compared, thresholds) for monitor in TESTS]


def _missing(
    model: ModelVersion, reference: PhotoSample, newest: PhotoSample, thresholds: MonitorThresholds
) -> list[Reading]:
    arrived, known = len(newest.item_ids), len(reference.item_ids)
    return [
        Reading(
            monitor,
            ReadingState.NOT_ENOUGH,
            f"v{model.number} {arrived}/{thresholds.window} {known}",
            threshold=thresholds.drift_level,
            figures={
                "arrived": arrived,
                "window": thresholds.window,
                "reference": known,
                "least": LEAST_REFERENCE,
            },
            model_version=model,
        )
        for monitor in TESTS
    ]


def _seen_lately(last: MonitorReading | None, newest: PhotoSample, thresholds: MonitorThresholds) -> bool:
    if last is None or last.threshold != thresholds.drift_level:
        return False
    since = sum(item > last.figures["newest"] for item in newest.item_ids)
    return since < EVERY and bool(last.figures["window"] == thresholds.window)


@dataclass(frozen=True)
class Finding:
    """A test in the window that shows most. ``p``: over all tests and windows."""

    p: float
    drift: Drift
    window: PhotoSample


@dataclass(frozen=True)
class Comparison:
    """``level``: below which a p-value alerts in this look; ``found``: by the name of the test."""

    model: ModelVersion
    reference: PhotoSample
    newest: PhotoSample
    level: float
    found: dict[str, Finding]

    def leading(self, tests: Sequence[str]) -> Finding | None:
        """What a monitor of several tests speaks of: the first that alerts, in their order, else the surest difference."""
        found = [self.found[name] for name in tests if name in self.found]
        for each in found:
            if each.p <= self.level:
                return each
        return min(found, key=lambda each: each.p, default=None)


def _compared(
    model: ModelVersion,
    reference: PhotoSample,
    newest: PhotoSample,
    thresholds: MonitorThresholds,
    *,
    look: int,
) -> Comparison:
    """All tests, in a window of the newest photos and, where there are as many, in one that is longer."""
    level = level_of(look, thresholds.drift_level)
    sizes = [thresholds.window]
    if len(newest.item_ids) >= LONGER * thresholds.window:
        sizes.append(LONGER * thresholds.window)
    known = reference.as_photos(model)
    found: dict[str, Finding] = {}
    for size in sizes:
        window = newest.last(size)
        for each in compare(known, window.as_photos(model), level=level, seed=look).findings:
            p, name = min(1.0, len(sizes) * each.adjusted), each.drift.name
            if name not in found or p < found[name].p:
                found[name] = Finding(p, each.drift, window)
    return Comparison(model, reference, newest, level, found)


def _reading(monitor: Monitor, compared: Comparison, thresholds: MonitorThresholds) -> Reading:
    model, newest, test = compared.model, compared.newest, TESTS[monitor]
    evidence = (
        f"v{model.number} from {newest.item_ids[-1]} of {thresholds.window} "
        f"at {thresholds.drift_level:g} against {len(compared.reference.item_ids)}"
    )
    figures: dict[str, Any] = {
        "window": thresholds.window,
        "newest": newest.item_ids[-1],
        "arrived": len(newest.item_ids),
    }
    leading = compared.leading(test.names)
    if leading is None:
        return Reading(
            monitor,
            ReadingState.NOT_ENOUGH,
            evidence,
            threshold=compared.level,
            figures=figures | {"unembedded": True},
            model_version=model,
        )
    drift, window = leading.drift, leading.window
    figures |= {
        "test": drift.name,
        "statistic": drift.statistic,
        "n": drift.n_window,
        "reference": drift.n_reference,
    }
    return Reading(
        monitor,
        alert_if(leading.p <= compared.level),
        evidence,
        value=leading.p,
        p_value=leading.p,
        threshold=compared.level,
        figures=figures | test.figures(compared, window),
        item_ids=[window.item_ids[i] for i in drift.drivers],
        model_version=model,
    )


def _measures(compared: Comparison, _window: PhotoSample) -> dict[str, Any]:
    """Each measure's median, before and now, in the window that shows most of it."""
    return {
        "measures": [
            {
                "name": name,
                "p": compared.found[name].p,
                "statistic": compared.found[name].drift.statistic,
                "before": _middle(compared.reference.quality[:, column]),
                "now": _middle(compared.found[name].window.quality[:, column]),
            }
            for column, name in enumerate(QUALITY)
        ]
    }


def _middle(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _shares(compared: Comparison, window: PhotoSample) -> dict[str, Any]:
    """Each class's share of the predictions, before and now."""
    before, now = Counter(compared.reference.predicted), Counter(window.predicted)
    return {
        "shares": _by_class(
            compared.model,
            [before[pk] / max(1, before.total()) for pk in compared.model.classes],
            [now[pk] / max(1, now.total()) for pk in compared.model.classes],
        )
    }


def _medians(compared: Comparison, window: PhotoSample) -> dict[str, Any]:
    """Each class's median probability, before and now."""
    before, now = (np.median(side.scores, axis=0).tolist() for side in (compared.reference, window))
    return {"medians": _by_class(compared.model, before, now)}


def _by_class(model: ModelVersion, before: list[float], now: list[float]) -> list[dict[str, Any]]:
    keys = dict(LabelClass.objects.filter(project=model.project_id).values_list("pk", "key"))
    return [
        {"class": keys[pk], "before": old, "now": new}
        for pk, old, new in zip(model.classes, before, now, strict=True)
    ]


@dataclass(frozen=True)
class Tests:
    """``names``: of the library's tests, in the order in which they are spoken of; ``figures``: kept beside theirs."""

    names: Sequence[str]
    figures: Callable[[Comparison, PhotoSample], dict[str, Any]]


#: The monitors that this module reads.
TESTS = {
    Monitor.EMBEDDINGS: Tests(["embeddings"], lambda _compared, _window: {}),
    Monitor.SCORES: Tests(["scores"], _medians),
    Monitor.BALANCE: Tests(["class balance"], _shares),
    Monitor.QUALITY: Tests(QUALITY, _measures),
}
