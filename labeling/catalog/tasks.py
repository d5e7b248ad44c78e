"""The catalog's background jobs. Only a worker loads this module."""

from __future__ import annotations

from typing import Any

from labeling.catalog import working
from labeling.catalog.intake import JOB_KIND
from labeling.jobs.handlers import handles
from labeling.jobs.runner import Progress


@handles(JOB_KIND)
def intake(progress: Progress) -> dict[str, Any]:
    return dict(working.work_through(progress))
