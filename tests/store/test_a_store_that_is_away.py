"""A bucket that does not answer for a while: the same job goes on behind it, and no photo was at fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

import labeling.catalog.tasks
import labeling.learning.tasks  # noqa: F401  (registers the handlers)
from inference import backbones
from labeling.catalog.models import IntakeFile, IntakeKind, IntakeOutcome, Item
from labeling.catalog.services import start_intake
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import Interrupted
from labeling.learning.compute.stores import store_of
from tests.factories import make_project, photo_bytes

pytestmark = pytest.mark.django_db


def test_jobs_go_on_when_the_store_is_back(
    bucket: None, machine: Callable[[str], Path], settings: Any
) -> None:
    machine("web")
    project = make_project()
    files = [ContentFile(photo_bytes(n, size=(64, 64)), f"{n}.png") for n in range(3)]
    _batch, intake = start_intake(project=project, by=project.created_by, kind=IntakeKind.UPLOAD, files=files)
    there = settings.STORAGES
    options = {**there["default"]["OPTIONS"], "bucket_name": "never-made"}
    away = {**there, "default": {**there["default"], "OPTIONS": options}}

    def run(job: Job) -> None:
        settings.STORAGES = away
        with pytest.raises(Interrupted):
            runner.run(job.pk)
        settings.STORAGES = there
        runner.run(job.pk)
        job.refresh_from_db()
        assert job.state == JobState.SUCCEEDED, job.error

    machine("cpu")
    run(intake)
    assert set(IntakeFile.objects.values_list("outcome", flat=True)) == {IntakeOutcome.ADDED}
    machine("gpu")
    embedding = Job.objects.get(kind="embed")
    run(embedding)
    assert embedding.result is not None and (embedding.result["embedded"], embedding.result["failed"]) == (
        3,
        0,
    )
    hashes = [item.image.sha256 for item in Item.objects.filter(project=project)]
    machine("another")
    assert store_of(backbones.load(project.backbone)).missing(hashes) == []
