"""The explorer's background jobs. Only a worker loads this module."""

from __future__ import annotations

from typing import Any

from labeling.explorer.bulk import working
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress


@handles(working.JOB_KIND)
def bulk(progress: Progress) -> dict[str, Any]:
    return working.work(progress)
