"""A photo that is known by everything by which one can be known, and another one beside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from pytest_django import Settings

import labeling.catalog.tasks
import labeling.erasure.tasks  # noqa: F401 - registers the handlers, as a worker does
from labeling.catalog.metadata import values as metadata
from labeling.catalog.models import (
    Activity,
    ClassDefinition,
    Exemplar,
    IntakeFile,
    Item,
    Project,
    WatchedFile,
    WatchedSource,
)
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import log_activity, start_intake
from labeling.erasure.models import Erasure
from labeling.exchange.models import Import, ImportRow
from labeling.exchange.services import make_data_set
from labeling.explorer.models import AskedPhoto, Bulk, BulkPhoto, SavedView, Space
from labeling.jobs import runner
from labeling.jobs.models import Job
from labeling.learning.compute.stores import open_store
from labeling.people.models import User
from labeling.truth.models import Annotation
from labeling.truth.services import reconsider
from tests.factories import make_member, make_project, photo_bytes

BACKBONE = "b" * 64
NAME = "앞범퍼-김민수-1234.png"
#: Its own words, that nothing else here has.
COMMENT = "scratch on 김민수's car"
PLATE = "12가 3456"
PLACE = 0.8125


def run(job: Job) -> Job:
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error or job.trace
    return job


def do_jobs(erasure: Erasure) -> None:
    """What a worker does of it: now, whatever the time is."""
    for job in Job.objects.filter(kind="erase", args__erasure=str(erasure.pk), state="queued"):
        run(job)


def take_in(project: Project, files: dict[str, bytes], source: str = "customer") -> None:
    sent = [SimpleUploadedFile(name, data) for name, data in files.items()]
    _batch, job = start_intake(
        project=project, by=project.created_by, kind="upload", source=source, files=sent
    )
    run(job)


def answer(project: Project, labeler: User, item: Item, said: str = "functional", **more: str) -> Annotation:
    made: Annotation = Annotation.objects.create(
        project=project,
        item=item,
        labeler=labeler,
        key=uuid4(),
        kind="class",
        label_class=project.label_classes.get(key=said),
        guideline=current_guideline(project),
        draw="rank",
        context={},
        view_ms=1000,
        **more,
    )
    return made


def _space(project: Project, photo: Item) -> Space:
    """A table of places, as a job writes it, of which the photo's vector is known by its first number."""
    space = Space.objects.create(
        project=project, backbone=project.backbone_name, backbone_hash=BACKBONE, projection=b"", fitted_on=1
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS derived")
        cursor.execute(f"CREATE TABLE {space.table} (item_id bigint, vector real[])")
        cursor.execute(f"INSERT INTO {space.table} VALUES (%s, %s)", [photo.pk, [PLACE]])
    return space


@dataclass
class Known:
    """``photo`` is to be erased, ``other`` stays."""

    project: Project
    photo: Item
    other: Item
    data: bytes
    var: Path

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def words(self) -> list[str]:
        """In tables: name, hash, what was written and known of it, where it lies; its name's and look's bytes as hex."""
        version = hashlib.md5(self.data).hexdigest()
        return [NAME, NAME.encode().hex(), self.sha256, COMMENT, PLATE, version, f"{{{PLACE}}}", self.look]

    @property
    def pieces(self) -> list[bytes]:
        """In files: a piece of the bytes, the hash in letters and as bytes, the name."""
        return [self.data[100:140], self.sha256.encode(), bytes.fromhex(self.sha256), NAME.encode()]

    look: str = ""


@pytest.fixture
def machine(tmp_path: Path, settings: Settings) -> Path:
    """Folders of the test's own."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "photos")},
        }
    }
    for name in ("MODELS", "EMBEDDINGS", "BACKBONES", "STAGING"):
        setattr(settings, f"{name}_DIR", tmp_path / name.lower())
    return tmp_path


@pytest.fixture
def known(db: None, machine: Path) -> Known:
    return make_known(machine)


def make_known(var: Path) -> Known:
    project = make_project(sweep_allowed=False)
    data = photo_bytes(1)
    take_in(project, {NAME: data, "other.png": photo_bytes(2)})
    photo, other = (Item.objects.get(project=project, name=name) for name in (NAME, "other.png"))
    for labeler in (make_member(project), make_member(project)):
        answer(project, labeler, photo, comment=COMMENT)
    reconsider(project=project, item_ids=[photo.pk])
    store = open_store(BACKBONE, 4)
    store.append([photo.image.sha256, other.image.sha256], np.eye(2, 4))
    definition = ClassDefinition.objects.filter(guideline=current_guideline(project)).first()
    Exemplar.objects.create(definition=definition, image=photo.image, caption=COMMENT)
    log_activity(
        project=project, kind="ruled", actor=project.created_by, outcome="class", key="functional", note=NAME
    )
    asked = {"project": project, "created_by": project.created_by}
    SavedView.objects.create(name="one", query=f"q={NAME}", **asked)
    SavedView.objects.create(name="alike", query=f"like={photo.image.sha256}", **asked)
    SavedView.objects.create(name="car", query=f'metadata=plate="{PLATE}" line=2', **asked)
    SavedView.objects.create(name="line", query="metadata=line=2", **asked)
    for query in (f"q={NAME}", "status=settled"):
        bulk = Bulk.objects.create(deed="unusable", query=query, upto=photo.pk, **asked)
        BulkPhoto.objects.create(bulk=bulk, item=photo, outcome="done")
    make_data_set(project=project, by=project.created_by, format="csv", search=f"q={NAME}")
    Job.objects.create(
        kind="embed",
        project_id=project.pk,
        state="succeeded",
        result={"failures": [{"sha256": photo.image.sha256, "message": f"{NAME} cannot be read"}]},
    )
    metadata.put(
        project=project,
        given={photo.pk: {"plate": PLATE, "line": 2}},
        by=project.created_by,
        origin=f"{NAME} of the customer",
    )
    metadata.put(project=project, given={other.pk: {"line": 2}}, by=project.created_by)
    watched = WatchedSource.objects.create(
        project=project, kind="bucket", address="b", created_by=project.created_by
    )
    came = IntakeFile.objects.get(batch__project=project, image=photo.image)
    WatchedFile.objects.create(
        source=watched, path=f"cars/{NAME}", version=hashlib.md5(data).hexdigest(), file=came
    )
    AskedPhoto.objects.create(
        space=_space(project, photo),
        sha256=photo.image.sha256,
        name=NAME,
        job=Job.objects.create(kind="like", project_id=project.pk),
        created_by=project.created_by,
    )
    labels = Import.objects.create(
        project=project, file_name="labels.csv", source="tool", created_by=project.created_by
    )
    ImportRow.objects.create(
        of=labels, place=f"row 1, {NAME}", photo=NAME, sha256=photo.image.sha256, item_id=photo.pk
    )
    assert Activity.objects.filter(project=project, data__note=NAME).exists()
    assert photo.image.fingerprint is not None
    return Known(project, photo, other, data, var, look=bytes(photo.image.fingerprint).hex())
