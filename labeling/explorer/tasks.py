"""The explorer's jobs. Only a worker loads this module."""

from __future__ import annotations

from typing import Any

from procrastinate.contrib.django import app

from labeling.explorer import laying_out
from labeling.explorer.bulk import working
from labeling.explorer.compute import asked, filling, words
from labeling.explorer.search import asking, by_words
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress


@handles(working.JOB_KIND)
def bulk(progress: Progress) -> dict[str, Any]:
    return working.work(progress)


@handles(laying_out.JOB_KIND)
def fill_space(progress: Progress) -> dict[str, Any]:
    return filling.fill(progress)


@handles(asking.JOB_KIND)
def embed_asked(progress: Progress) -> dict[str, Any]:
    return asked.embed(progress)


@handles(by_words.JOB_KIND)
def compare_words(progress: Progress) -> dict[str, Any]:
    return words.compare(progress)


@app.periodic(cron="41 3 * * *")
@app.task(name="hilltop.tidy_spaces", queue="cpu", queueing_lock="hilltop.tidy_spaces")
def tidy_spaces(timestamp: int) -> None:
    laying_out.tidy_up()
