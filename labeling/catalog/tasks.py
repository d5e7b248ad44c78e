"""The catalog's background jobs. Only a worker loads this module."""

from __future__ import annotations

from typing import Any

from labeling.catalog import intake_worker
from labeling.catalog.intake import JOB_KIND
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress


@handles(JOB_KIND)
def intake(progress: Progress) -> dict[str, Any]:
    return dict(intake_worker.work_through(progress))
