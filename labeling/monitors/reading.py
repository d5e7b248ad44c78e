"""What the monitors look at, and what one saw before it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from labeling.catalog.models import Project
from labeling.learning.models import ModelVersion
from labeling.monitors.models import Monitor, MonitorThresholds, ReadingState

PEOPLE_AND_QUEUE = gettext_noop("Looking at people and the queue")


@dataclass(frozen=True)
class Look:
    """One look at a project. ``model``: its champion, if it has one; ``asked``: a person asked for this look."""

    project: Project
    model: ModelVersion | None
    thresholds: MonitorThresholds
    asked: bool = False


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


@dataclass(frozen=True)
class Reader:
    """``read`` gives a reading for each monitor that names this reader, or none of them where there is nothing to read.

    ``says``: what the job's progress says meanwhile, a text that is translated where it is shown.
    """

    says: str
    read: Callable[[Look], list[Reading]]


def alert_if(beyond: bool) -> ReadingState:
    return ReadingState.ALERT if beyond else ReadingState.OK
