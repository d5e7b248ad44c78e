"""A worker may end a task only while nobody else has taken it up.

Procrastinate ends a task by its number alone. A worker that was asleep for so long that another one had its task then
would delete the row under the other's hands: a second task with the same lock would start beside it, and the job would
be given up as lost. Each time a task is put back its count of tries goes up, so that count says whose it is.
"""

from __future__ import annotations

import datetime
import logging
from typing import Any

from procrastinate import jobs
from procrastinate.manager import JobManager

logger = logging.getLogger(__name__)

# The row is locked before it is judged: a rescue under way is waited for, and a later one passes it by.
_FINISH = """
WITH mine AS (
    SELECT id FROM procrastinate_jobs
     WHERE id = %(job_id)s AND status = 'doing' AND attempts = %(attempts)s
       FOR UPDATE
)
SELECT id, procrastinate_finish_job_v1(id, %(status)s::procrastinate_job_status, %(delete_job)s) FROM mine
"""
_RETRY = """
WITH mine AS (
    SELECT id FROM procrastinate_jobs
     WHERE id = %(job_id)s AND status = 'doing' AND attempts = %(attempts)s
       FOR UPDATE
)
SELECT id, procrastinate_retry_job_v2(id, %(retry_at)s, %(priority)s, %(queue)s, %(lock)s) FROM mine
"""


class FencedJobManager(JobManager):
    """Ends and puts back tasks as its base does, if they are still the caller's; else says so in the log."""

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        await self._if_mine(_FINISH, job, status=status.value, delete_job=delete_job)

    async def retry_job(
        self,
        job: jobs.Job,
        retry_at: datetime.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        when = retry_at or datetime.datetime.now(datetime.UTC)
        await self._if_mine(_RETRY, job, retry_at=when, priority=priority, queue=queue, lock=lock)

    async def _if_mine(self, query: str, job: jobs.Job, **arguments: Any) -> None:
        rows = await self.connector.execute_query_all_async(
            query, job_id=job.id, attempts=job.attempts, **arguments
        )
        if not rows:
            logger.warning("task %s was handed to another worker meanwhile: left to it", job.id)
