"""What the catalog's tests share: photos on disk, uploads, and a job that is run as a worker runs it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

import labeling.catalog.tasks  # noqa: F401 - registers the handler, as a worker does
from labeling.jobs import runner
from labeling.jobs.models import Job


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, settings: Settings) -> None:
    """Photos, staging area and intake root of each test lie in its own folder."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "photos")},
        }
    }
    settings.STAGING_DIR = tmp_path / "staging"
    settings.INTAKE_ROOTS = [tmp_path / "open"]
    (tmp_path / "open").mkdir()


@pytest.fixture
def do() -> Callable[[Job], Job]:
    """Run a job to its end and return its row."""

    def run(job: Job) -> Job:
        runner.run(job.pk)
        job.refresh_from_db()
        return job

    return run


def upload(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def zip_of(files: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()
