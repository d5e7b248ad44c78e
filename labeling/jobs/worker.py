"""The process that does the jobs: fetches, beats, rescues what dead workers left, and ends in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.db_cleanup import close_db_connections, close_db_connections_async
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector
from procrastinate.worker import Worker

from config.postgres.outages import is_outage
from labeling.jobs import rescue
from labeling.jobs.outlasting import OutlastingJobManager
from labeling.jobs.progress import stopping
from labeling.jobs.services import QUICK
from labeling.store.folders import drop_copies_of_what_is_gone

logger = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
#: A worker that is silent for so long counts as dead. A stalled one that wakes up later is fenced off, by the runner and
#: by ``fence``.
SILENT_S = 10.0
RESCUE_EVERY_S = 2.0
#: Rounds between two looks at this machine's copies: an hour.
TIDY_EVERY = 1800
#: New jobs are notified; a job that waited for a lock, or was handed back, is found by polling.
POLL_S = 0.5
#: How long a job may take to its next progress report when the worker is told to end.
GRACE_S = 10.0


def work(*, queues: Sequence[str], concurrency: int, until_idle: bool = False) -> None:
    """Do jobs of ``queues``, up to ``concurrency`` at once (each in a thread), until SIGTERM or SIGINT.

    Whoever does jobs of ``cpu`` does those of :data:`~labeling.jobs.services.QUICK` too, and one more of them at once.
    ``until_idle``: or until none waits.
    """
    # A pool that tries ever more seldom to reach its database would prolong every outage.
    connector = PsycopgConnector(kwargs=connector_params(), reconnect_timeout=0, timeout=2)
    with app.replace_connector(connector) as ours:
        ours.job_manager = OutlastingJobManager(connector, most=concurrency)
        asyncio.run(_work(queues, concurrency, until_idle))


async def _work(queues: Sequence[str], concurrency: int, until_idle: bool) -> None:
    quick = [QUICK] if "cpu" in queues else []
    worker = Worker(
        app,
        queues=[*queues, *quick],
        concurrency=concurrency + len(quick),
        wait=not until_idle,
        fetch_job_polling_interval=POLL_S,
        update_heartbeat_interval=HEARTBEAT_S,
        stalled_worker_timeout=SILENT_S,
        delete_jobs="successful",
        install_signal_handlers=False,
        task_middleware=[close_db_connections, close_db_connections_async],
    )
    # Before it connects: asyncio would cancel what connects, which may swallow that, and Ctrl-C were lost.
    _end_on_signals(worker.stop)
    async with app.open_async():
        if stopping.is_set():
            return  # run() would forget it
        watch = asyncio.create_task(_rescue_for_ever(), name="rescue")
        try:
            await worker.run()  # type: ignore[no-untyped-call]
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch


def _end_on_signals(stop: Callable[[], None]) -> None:
    def end() -> None:
        if stopping.is_set():
            os._exit(1)  # told twice
        logger.info("ending: jobs go back to the queue at their next progress report")
        stopping.set()
        stop()
        # A thread cannot be stopped from outside. A job that does not report in time is taken up by another worker.
        timer = threading.Timer(GRACE_S, os._exit, [1])
        timer.daemon = True
        timer.start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)


async def _rescue_for_ever() -> None:
    rounds, judge_from = 0, 0.0
    while True:
        asked = time.monotonic()
        try:
            await sync_to_async(_see_the_database, thread_sensitive=False)()
            if time.monotonic() - asked > HEARTBEAT_S:
                # It was away, and nobody's heart could be heard. They get the time to beat again.
                judge_from = time.monotonic() + SILENT_S
            elif time.monotonic() >= judge_from and (
                taken := await sync_to_async(_rescue, thread_sensitive=False)(rounds % 15 == 0)
            ):
                logger.warning("took up %d job(s) of a dead worker", taken)
        except Exception as error:
            judge_from = time.monotonic() + SILENT_S
            if is_outage(error):
                logger.warning("the database is away (%s): nobody is taken for dead", error)
            else:
                logger.exception("looking for the jobs of dead workers failed; trying again")
        rounds += 1
        if rounds % TIDY_EVERY == 0:
            await sync_to_async(_tidy, thread_sensitive=False)()
        await asyncio.sleep(RESCUE_EVERY_S)


def _tidy() -> None:
    """Each machine's own: what was erased must not lie on in its copies."""
    try:
        drop_copies_of_what_is_gone()
    except Exception:  # the store is away, or a folder cannot be read: the next hour sees to it
        logger.exception("looking for copies of what the store has no more failed; trying again in an hour")


def _see_the_database() -> None:
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        close_old_connections()


def _rescue(also_lost: bool) -> int:
    close_old_connections()
    try:
        if also_lost and (lost := rescue.fail_lost()):
            logger.warning("%d job(s) were lost on their way to a worker", lost)
        return rescue.hand_back_stalled(silent_for_s=SILENT_S)
    finally:
        close_old_connections()
