"""The process that does the jobs: fetches, beats, rescues what dead workers left, and ends in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import cast

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from procrastinate.contrib.django import app
from procrastinate.contrib.django.db_cleanup import close_db_connections, close_db_connections_async
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.worker import Worker

from labeling.jobs import rescue
from labeling.jobs.fence import FencedJobManager
from labeling.jobs.progress import stopping

logger = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
#: A worker that is silent for so long counts as dead. A stalled one that wakes up later is fenced off, by the runner and
#: by ``fence``.
SILENT_S = 10.0
RESCUE_EVERY_S = 2.0
#: New jobs are notified; a job that waited for a lock, or was handed back, is found by polling.
POLL_S = 0.5
#: How long a job may take to its next progress report when the worker is told to end.
GRACE_S = 10.0


def work(*, queues: Sequence[str], concurrency: int) -> None:
    """Do jobs of ``queues``, up to ``concurrency`` at once (each in a thread), until SIGTERM or SIGINT."""
    connector = cast(DjangoConnector, app.connector).get_worker_connector()
    with app.replace_connector(connector) as ours:
        ours.job_manager = FencedJobManager(connector)
        asyncio.run(_work(queues, concurrency))


async def _work(queues: Sequence[str], concurrency: int) -> None:
    async with app.open_async():
        worker = Worker(
            app,
            queues=list(queues),
            concurrency=concurrency,
            fetch_job_polling_interval=POLL_S,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=SILENT_S,
            delete_jobs="successful",
            install_signal_handlers=False,
            task_middleware=[close_db_connections, close_db_connections_async],
        )
        _end_on_signals(worker.stop)
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
    rounds = 0
    while True:
        try:
            if taken := await sync_to_async(_rescue, thread_sensitive=False)(rounds % 15 == 0):
                logger.warning("took up %d job(s) of a dead worker", taken)
        except Exception:
            logger.exception("looking for the jobs of dead workers failed; trying again")
        rounds += 1
        await asyncio.sleep(RESCUE_EVERY_S)


def _rescue(also_lost: bool) -> int:
    close_old_connections()
    try:
        if also_lost and (lost := rescue.fail_lost()):
            logger.warning("%d job(s) were lost on their way to a worker", lost)
        return rescue.hand_back_stalled(silent_for_s=SILENT_S)
    finally:
        close_old_connections()
