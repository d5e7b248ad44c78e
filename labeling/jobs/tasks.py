"""Procrastinate's side: the one task that runs our jobs, and the rescue of jobs whose worker died."""

from __future__ import annotations

import logging

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from labeling.jobs import runner

logger = logging.getLogger(__name__)


@app.task(name="hilltop.run_job", retry=RetryStrategy(max_attempts=3, wait=5))
def run_job(job_id: str) -> None:
    runner.run(job_id)


async def rescue_stalled_jobs() -> int:
    """Hand the jobs of dead workers (no heartbeat) back to the queue; return how many."""
    rescued = 0
    for stalled in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(stalled)
        rescued += 1
    if rescued:
        logger.warning("took up %d job(s) of a dead worker", rescued)
    return rescued


@app.periodic(cron="* * * * * */5")
@app.task(name="hilltop.rescue_stalled_jobs", queueing_lock="rescue", pass_context=False)
async def rescue(timestamp: int) -> None:
    await rescue_stalled_jobs()


