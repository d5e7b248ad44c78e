"""Readings of every monitor as its reader makes them: one that lacks something, a fine one, and one that alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from labeling.learning.models import ModelVersion
from labeling.monitors.models import Monitor, MonitorReading, ReadingState

_DRIFT_MISSING = [
    {"arrived": 12, "window": 100, "reference": 800, "least": 50},
    {"arrived": 100, "window": 100, "reference": 20, "least": 50},
    {"arrived": 100, "window": 100, "newest": 9, "unembedded": True},
]


def _drift(test: str, statistic: float, **figures: Any) -> dict[str, Any]:
    counted = {"window": 100, "newest": 9, "arrived": 100, "n": 100, "reference": 800}
    return {"test": test, "statistic": statistic, **counted, **figures}


def _p(p: float, figures: dict[str, Any]) -> dict[str, Any]:
    return {"value": p, "p_value": p, "threshold": 0.002, "figures": figures}


_MOVED = [
    {"class": "functional", "before": 0.8, "now": 0.45},
    {"class": "defective", "before": 0.2, "now": 0.55},
]
_STILL = [
    {"class": "functional", "before": 0.8, "now": 0.79},
    {"class": "defective", "before": 0.2, "now": 0.21},
]
_MEASURES = [
    {"name": "brightness", "p": 1e-9, "statistic": 0.7, "before": 128.2, "now": 76.4},
    {"name": "sharpness", "p": 0.4, "statistic": 0.1, "before": 8.31, "now": 8.02},
    {"name": "pixels", "p": 1.0, "statistic": 0.0, "before": 9216.0, "now": 9216.0},
    {"name": "bytes", "p": 0.9, "statistic": 0.1, "before": None, "now": 20_480.0},
]
_SPEED = {"answers": 100, "before_answers": 400, "least": 130, "factor": 2.0, "before": 8.0}
_FAST_SLOW = {"slow": 16.0, "fast": 4.0}
_QUEUE = {"days": 7, "arrived": 120, "settled": 80, "waiting": 40, "pool": 900}
_CALIBRATED = {"n": 200, "wrong": 20, "level": 0.005, "stated": 0.93}

#: Monitor -> what is missing, in each way that something can be; what is fine; what alerts.
FIGURES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]] = {
    Monitor.EMBEDDINGS: (
        [{"figures": each} for each in _DRIFT_MISSING],
        [_p(0.4, _drift("embeddings", 0.52))],
        [_p(1e-7, _drift("embeddings", 0.97))],
    ),
    Monitor.SCORES: (
        [{"figures": each} for each in _DRIFT_MISSING],
        [_p(0.034, _drift("scores", 0.1, medians=_STILL))],
        [_p(0.0002, _drift("scores", 0.5, medians=_MOVED))],
    ),
    Monitor.BALANCE: (
        [{"figures": each} for each in _DRIFT_MISSING],
        [_p(1.0, _drift("class balance", 0.02, shares=_STILL))],
        [_p(0.00002, _drift("class balance", 0.7, shares=_MOVED))],
    ),
    Monitor.QUALITY: (
        [{"figures": each} for each in _DRIFT_MISSING],
        [_p(0.2, _drift("sharpness", 0.1, measures=_MEASURES[1:]))],
        [_p(1e-9, _drift("brightness", 0.7, measures=_MEASURES))],
    ),
    Monitor.CALIBRATION: (
        [{"threshold": 0.05, "figures": {"n": 31, "least": 50}}],
        [
            {
                "value": value,
                "p_value": 0.3,
                "threshold": 0.05,
                "figures": {**_CALIBRATED, "right": 0.9, "chance": 0.06},
            }
            for value in (0.03, 0.055)
        ],
        [
            {
                "value": 0.21,
                "p_value": 0.0005,
                "threshold": 0.05,
                "figures": {**_CALIBRATED, "right": 0.72, "chance": 0.06},
            }
        ],
    ),
    Monitor.AUDIT: (
        [{"figures": {"classes": []}}],
        [
            {
                "value": 0.99,
                "low": 0.96,
                "high": 1.0,
                "threshold": 0.98,
                "figures": {"classes": [], "class": "defective", "suspended": False},
            }
        ],
        [
            {
                "value": 0.4,
                "low": 0.3,
                "high": 0.5,
                "threshold": 0.98,
                "figures": {"classes": [], "class": "defective", "suspended": True},
            }
        ],
    ),
    Monitor.AGREEMENT: (
        [{"threshold": 0.7, "figures": {"photos": 11, "agreed": 9, "least": 20}}],
        [
            {
                "value": 0.95,
                "low": 0.9,
                "high": 0.98,
                "threshold": 0.7,
                "figures": {"photos": 100, "agreed": 95, "least": 20},
            }
        ],
        [
            {
                "value": 0.4,
                "low": 0.3,
                "high": 0.5,
                "threshold": 0.7,
                "figures": {"photos": 100, "agreed": 40, "least": 20},
            }
        ],
    ),
    Monitor.SPEED: (
        [{"figures": {"answers": 90, "before_answers": 0, "least": 130, "factor": 2.0}}],
        [{"value": 7.0, "low": 6.0, "high": 8.0, "threshold": 4.0, "figures": _SPEED | _FAST_SLOW}],
        [
            {"value": 1.2, "low": 1.0, "high": 1.4, "threshold": 4.0, "figures": _SPEED | _FAST_SLOW},
            {"value": 31.0, "low": 25.0, "high": 40.0, "threshold": 16.0, "figures": _SPEED | _FAST_SLOW},
        ],
    ),
    Monitor.QUEUE: (
        [{"threshold": 30.0, "figures": _QUEUE | {"pool": 0}}],
        [
            {"value": 0.0, "threshold": 30.0, "figures": _QUEUE | {"waiting": 0}},
            {"value": 0.02, "threshold": 30.0, "item_ids": [7], "figures": _QUEUE},
            {"value": 1.4, "threshold": 30.0, "item_ids": [7], "figures": _QUEUE},
        ],
        [{"value": 45.2, "threshold": 30.0, "item_ids": [7], "figures": _QUEUE}],
    ),
}


def readings(monitor: str, *states: ReadingState) -> list[MonitorReading]:
    """Unsaved, a day after the other, of these states; of all without any."""
    begin = datetime(2026, 5, 1, 8, tzinfo=UTC)
    kinds = zip((ReadingState.NOT_ENOUGH, ReadingState.OK, ReadingState.ALERT), FIGURES[monitor], strict=True)
    made = [
        MonitorReading(
            monitor=monitor,
            state=state,
            evidence="made up",
            model_version=ModelVersion(number=3),
            **each,
        )
        for state, examples in kinds
        if state in (states or ReadingState)
        for each in examples
    ]
    for day, reading in enumerate(made):
        reading.at = begin + timedelta(days=day)
    return made
