"""The inspections' jobs, which only a worker does."""

from __future__ import annotations

from typing import Any

from labeling.inspections.capture import recognising
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress


@handles(recognising.KIND)
def recognise_shots(progress: Progress) -> dict[str, Any]:
    return recognising.recognise(progress)
