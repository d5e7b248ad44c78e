"""The exchange's background jobs. Only a worker loads this module."""

from __future__ import annotations

from typing import Any

from labeling.exchange import choosing
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress


@handles(choosing.JOB_KIND)
def choose(progress: Progress) -> dict[str, Any]:
    return choosing.choose(progress)
