"""Takes up the jobs of workers that died: no heartbeat for a while, or gone from the table of workers."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from labeling.jobs.models import Job, JobState

# One statement: a job that another worker's rescue has just handed back is locked or no longer ``doing``, so it is
# not handed back a second time while somebody is already at it.
_HAND_BACK = """
WITH stalled AS (
    SELECT job.id
      FROM procrastinate_jobs job
      LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
     WHERE job.status = 'doing'
       AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s))
       FOR UPDATE OF job SKIP LOCKED
)
SELECT stalled.id, procrastinate_retry_job_v2(stalled.id, now(), NULL, NULL, NULL) FROM stalled
"""

_LOST = """
SELECT job.id
  FROM jobs_job job
 WHERE job.state IN ('queued', 'running')
   AND job.updated_at < now() - interval '60 seconds'
   AND NOT EXISTS (
       SELECT 1 FROM procrastinate_jobs task
        WHERE task.id = job.procrastinate_id AND task.status IN ('todo', 'doing')
   )
"""


def hand_back_stalled(*, silent_for_s: float) -> int:
    """Queue the jobs of workers that were silent for so many seconds again; return how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HAND_BACK, [silent_for_s])
        return len(cursor.fetchall())


def fail_lost() -> int:
    """Say so in the row of a job that nothing will ever run any more; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_LOST)
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return 0
    now = timezone.now()
    return int(
        Job.objects.live()
        .filter(pk__in=ids)
        .update(
            state=JobState.FAILED,
            error="The job was lost on its way to a worker. Start it again.",
            finished_at=now,
            updated_at=now,
        )
    )
