"""Procrastinate's side: the one task that runs our jobs, and the nightly tidying of its table."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from labeling.jobs import runner
from labeling.jobs.services import TASK

KEEP_H = 72


# What a handler raises ends in our row. What is raised here is an interruption, or a database that went away:
# both are tried again, and the runner counts how often a job was left lying.
@app.task(name=TASK, retry=RetryStrategy(max_attempts=200, wait=1))
def run_job(job_id: str) -> None:
    runner.run(job_id)


# A worker without any periodic task would also stop watching its own heartbeat and listener.
@app.periodic(cron="17 3 * * *")
@app.task(name="hilltop.tidy_jobs", queue="cpu", queueing_lock="hilltop.tidy_jobs")
async def tidy_jobs(timestamp: int) -> None:
    await app.job_manager.delete_old_jobs(
        nb_hours=KEEP_H, include_failed=True, include_cancelled=True, include_aborted=True
    )
