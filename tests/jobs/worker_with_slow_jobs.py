"""A real worker process that knows a few jobs made for tests, and none of the rooms': three seconds of imports a start.

Run with ``python -m``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import labeling.jobs.tasks  # noqa: E402, F401
from labeling.jobs.handlers import handles  # noqa: E402
from labeling.jobs.progress import JobError, Progress  # noqa: E402
from labeling.jobs.worker import work  # noqa: E402


@handles("test-steps")
def steps(progress: Progress) -> dict[str, Any]:
    """Appends a line for each step to a file, and takes its time about it; ends when ``until``, where given, is a file."""
    total = progress.args["steps"]
    for number in range(total):
        with Path(progress.args["log"]).open("a") as log:
            log.write(f"{progress.job.attempts}:{number}\n")
        time.sleep(progress.args.get("pause", 0.1))
        progress.report(number + 1, total, f"step {number + 1}")
    while (until := progress.args.get("until")) and not Path(until).exists():
        time.sleep(0.1)
        progress.report(total, total, "waiting")
    return {"attempt": progress.job.attempts}


@handles("test-refuses")
def refuses(progress: Progress) -> dict[str, Any]:
    raise JobError("There is only one class. Label photos of another class first.")


@handles("test-breaks")
def breaks(progress: Progress) -> dict[str, Any]:
    raise ZeroDivisionError("a bug")


if __name__ == "__main__":
    work(queues=["cpu", "gpu"], concurrency=3)
