"""A worker outlasts its database: what it has to tell it, it tells when it is back.

Without this a restart of the database ends the worker, and with it jobs that only wanted to report their progress.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

import psycopg
from procrastinate import jobs
from procrastinate.exceptions import ConnectorException

from labeling.jobs.fence import FencedJobManager
from labeling.jobs.progress import stopping
from labeling.jobs.services import QUICK

logger = logging.getLogger(__name__)

AGAIN_S = 1.0
P = ParamSpec("P")
R = TypeVar("R")

#: Tasks that this worker took and that never reached it, because the line broke in between.
_HAND_BACK = """
SELECT procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL) FROM procrastinate_jobs
 WHERE worker_id = %(worker_id)s AND status = 'doing' AND id <> ALL(%(mine)s)
"""


def _outlasts(method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Tries until the database has answered, or this worker is told to end."""

    async def patiently(*args: P.args, **kwargs: P.kwargs) -> R:
        while True:
            try:
                return await method(*args, **kwargs)
            except ConnectorException as error:
                if stopping.is_set() or not isinstance(error.__cause__, psycopg.OperationalError):
                    raise
                logger.warning("the database is away (%s); trying again", error.__cause__)
            await asyncio.sleep(AGAIN_S)

    return patiently


class OutlastingJobManager(FencedJobManager):
    """``most``: tasks of any queue at once. While it does so many, this worker takes none but of :data:`QUICK`."""

    def __init__(self, connector: Any, most: int) -> None:
        super().__init__(connector)
        self._most = most
        self._mine: set[int] = set()

    async def fetch_job(self, queues: Any, worker_id: int) -> jobs.Job | None:
        job = None
        if len(self._mine) >= self._most:
            queues = [QUICK]
        try:
            job = await super().fetch_job(queues, worker_id)
        except ConnectorException as error:
            if not isinstance(error.__cause__, psycopg.OperationalError):
                raise
            await self._back_again(worker_id)
        if job is not None and job.id is not None:
            self._mine.add(job.id)
        return job

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        await _outlasts(super().finish_job)(job, status, delete_job)
        self._mine.discard(job.id or 0)

    async def retry_job(self, job: jobs.Job, *args: Any, **kwargs: Any) -> None:
        await _outlasts(super().retry_job)(job, *args, **kwargs)
        self._mine.discard(job.id or 0)

    async def update_heartbeat(self, worker_id: int) -> None:
        await _outlasts(super().update_heartbeat)(worker_id)

    async def listen_for_jobs(self, **kwargs: Any) -> None:
        await _outlasts(super().listen_for_jobs)(**kwargs)

    async def defer_periodic_job(self, job: jobs.Job, periodic_id: str, defer_timestamp: int) -> int | None:
        return await _outlasts(super().defer_periodic_job)(job, periodic_id, defer_timestamp)

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        return await _outlasts(super().prune_stalled_workers)(seconds_since_heartbeat)

    async def register_worker(self) -> int:
        return await _outlasts(super().register_worker)()

    @_outlasts
    async def _back_again(self, worker_id: int) -> None:
        await self.connector.execute_query_all_async(_HAND_BACK, worker_id=worker_id, mine=list(self._mine))
