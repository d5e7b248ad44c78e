"""The demo's job. Only a worker loads this module: a day of work brings the library with it."""

from __future__ import annotations

from typing import Any

from labeling.gateway.demo import month
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress


@handles(month.KIND)
def live_a_day(progress: Progress) -> dict[str, Any]:
    return month.live_a_day(progress)
