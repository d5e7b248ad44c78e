"""A project whose photos have bytes and no labels, and an import that is run as a worker runs it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

import labeling.catalog.tasks
import labeling.exchange.tasks  # noqa: F401 - registers the handlers, as a worker does
from labeling.catalog.models import Item, Project
from labeling.exchange.imports.services import apply_import, change_import, start_import
from labeling.exchange.models import Import, ImportRow
from labeling.jobs import runner
from labeling.jobs.models import Job
from labeling.queue.services import append_arrivals
from labeling.truth.models import GroundTruth
from tests.exchange.conftest import keep_photos
from tests.factories import make_project


def unlabeled(**settings: Any) -> tuple[Project, dict[str, bytes]]:
    """A project, and its photos' bytes by name. All of them wait for answers."""
    project = make_project(**settings)
    photos = keep_photos(project)
    append_arrivals(
        project=project, item_ids=list(Item.objects.filter(project=project).values_list("pk", flat=True))
    )
    return project, photos


def run(job: Job) -> Job:
    runner.run(job.pk)
    job.refresh_from_db()
    return job


def send(project: Project, name: str, data: bytes, **fields: Any) -> tuple[Import, Job]:
    """Sent, read and tried."""
    of, job = start_import(
        project=project, by=project.created_by, file=SimpleUploadedFile(name, data), **fields
    )
    run(job)
    of.refresh_from_db()
    return of, job


def bring(project: Project, name: str, data: bytes, **fields: Any) -> Import:
    """Sent, and all of it that may brought in."""
    of, job = send(project, name, data, **fields)
    assert job.state == "succeeded", job.error or job.trace
    return apply(of)


def apply(of: Import) -> Import:
    job = run(apply_import(of=of, by=of.created_by))
    assert job.state == "succeeded", job.error or job.trace
    of.refresh_from_db()
    return of


def map_classes(of: Import, **classes: str) -> Import:
    run(change_import(of=of, by=of.created_by, classes=classes))
    of.refresh_from_db()
    return of


def table(rows: Iterable[tuple[str, ...]], head: tuple[str, ...] = ("name", "class", "annotator")) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    return text.getvalue().encode()


def outcomes(of: Import) -> list[tuple[str, str]]:
    """(outcome, reason) of each row, in the order of the file."""
    return list(of.rows.order_by("id").values_list("outcome", "reason"))


def photo_of(row: ImportRow) -> str:
    return Item.objects.get(pk=row.item_id).name


def truths(project: Project) -> dict[str, tuple[str, str]]:
    """Name of a photo -> (class key or kind, origin) of its ground truth in force."""
    rows = GroundTruth.objects.current().filter(project=project).select_related("item", "label_class")
    return {row.item.name: (row.label_class.key if row.label_class else row.kind, row.origin) for row in rows}
