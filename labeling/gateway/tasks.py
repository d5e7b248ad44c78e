"""The demo's jobs. Only a worker loads this module: a day of work brings the library with it."""

from __future__ import annotations

from typing import Any

from labeling.gateway.demo import month, wash
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress


@handles(month.COURSE.kind)
def live_a_day(progress: Progress) -> dict[str, Any]:
    return month.live_a_day(progress)


@handles(wash.COURSE.kind)
def wash_for_a_day(progress: Progress) -> dict[str, Any]:
    return wash.live_a_day(progress)
