"""What a monitor saw, before it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from labeling.learning.models import ModelVersion
from labeling.monitors.models import Monitor, ReadingState


@dataclass(frozen=True)
class Reading:
    """As :class:`~labeling.monitors.models.MonitorReading`. ``evidence``: what was looked at, in a few words."""

    monitor: Monitor
    state: ReadingState
    evidence: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    threshold: float | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    item_ids: list[int] = field(default_factory=list)
    model_version: ModelVersion | None = None


def judged(beyond: bool) -> ReadingState:
    return ReadingState.ALERT if beyond else ReadingState.OK
