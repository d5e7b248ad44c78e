"""The exchange's background jobs. Only a worker loads this module."""

from __future__ import annotations

import logging
from typing import Any

from procrastinate.contrib.django import app

from labeling.exchange import choosing
from labeling.exchange.categories import services as categories
from labeling.exchange.categories import work as categories_work
from labeling.exchange.imports import services
from labeling.exchange.imports.work import work
from labeling.exchange.vocabularies import Vocabulary
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress
from labeling.store.objects import StoreAway

log = logging.getLogger(__name__)


@handles(services.JOB_KIND)
def imports(progress: Progress) -> dict[str, Any]:
    return work(progress)


@handles(categories.JOB_KIND)
def vocabularies(progress: Progress) -> dict[str, Any]:
    return categories_work.work(progress)


@app.periodic(cron="52 3 * * *")
@app.task(name="hilltop.free_import_files", queue="cpu", queueing_lock="hilltop.free_import_files")
def free_import_files(timestamp: int) -> None:
    try:
        services.free_old_files()
    except StoreAway as error:
        log.warning("files of old imports stay for now: %s", error)


@app.periodic(cron="22 4 * * *")
@app.task(name="hilltop.count_texts", queue="cpu", queueing_lock="hilltop.count_texts")
def count_texts(timestamp: int) -> None:
    """Texts of photos that are erased, or that nobody has any more, go."""
    for of in Vocabulary.objects.filter(project__archived_at__isnull=True):
        categories.look_again(of=of, by=None)


@handles(choosing.JOB_KIND)
def choose(progress: Progress) -> dict[str, Any]:
    return choosing.choose(progress)
