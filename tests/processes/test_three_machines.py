"""Three machines share a PostgreSQL and a bucket, and nothing else. One after the other dies; nothing is lost.

Each has a ``var/`` of its own, and whoever takes a dead one's place begins with an empty one.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from labeling.catalog.models import IntakeBatch, IntakeFile, IntakeOutcome, Item, Project
from labeling.jobs.models import Job, JobState
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.learning.services import request_training
from labeling.people.models import Token
from labeling.queue.models import Ranking
from labeling.store import objects
from labeling.store.folders import MODELS, STAGING, VECTORS
from labeling.truth.models import Annotation
from tests.factories import make_member, make_project, photo_bytes
from tests.learning.building import settle
from tests.stack import Stack
from tests.store.conftest import in_bucket, s3  # noqa: F401

#: More than the first chunk of an intake, so that a worker can die between two.
PHOTOS = 48


class Machines:
    def __init__(self, storage: dict[str, Any]) -> None:
        self._storage = json.dumps(storage)
        self._all: list[Stack] = []

    def new(self, role: str) -> Stack:
        machine = Stack(
            HILLTOP_VAR=tempfile.mkdtemp(prefix=f"hilltop-{role}-", dir=os.environ["HILLTOP_VAR"]),
            HILLTOP_STORAGE=self._storage,
            HILLTOP_SECRET_KEY="the same on all of them",
            HILLTOP_ADAPT_AFTER="0",
        )
        self._all.append(machine)
        if role == "web":
            machine.ensure_web()
        else:
            machine.start_worker("--queues", role)
        return machine

    def stop(self) -> None:
        for machine in self._all:
            machine.stop()


def die(machine: Stack) -> None:
    for process in (machine.web, *machine.workers):
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def machines(transactional_db: None, s3: str, settings: Any, tmp_path: Path) -> Iterator[Machines]:  # noqa: F811
    storage = in_bucket(s3, f"machines-{uuid.uuid4().hex}")
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    for name in ("MODELS", "EMBEDDINGS", "BACKBONES", "STAGING"):
        setattr(settings, f"{name}_DIR", tmp_path / name.lower())
    made = Machines(storage)
    yield made
    made.stop()


def wait_until(what: Callable[[], bool], machine: Stack, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, machine.log("worker")[-4000:]
        time.sleep(0.05)


def ended(kind: str, project: Project) -> bool:
    jobs = Job.objects.filter(kind=kind, project_id=project.pk)
    assert not jobs.filter(state=JobState.FAILED).exists(), jobs.filter(state=JobState.FAILED)[0].error
    return jobs.exists() and not jobs.exclude(state=JobState.SUCCEEDED).exists()


def test_machines_that_share_a_database_and_a_bucket_die_one_after_the_other(machines: Machines) -> None:
    project = make_project()
    labeler = make_member(project)
    headers = {
        who: {"Authorization": f"Token {Token.objects.create(user=user)[1]}"}
        for who, user in (("admin", project.created_by), ("labeler", labeler))
    }
    sent = {f"{n}.png": photo_bytes(n, size=(64, 64)) for n in range(PHOTOS)}

    def ask(machine: Stack, who: str, method: str, path: str, **sent: Any) -> Any:
        url = f"{machine.url}/api/v1/projects/{project.slug}/{path}"
        answer = httpx.request(method, url, headers=headers[who], timeout=60, **sent)
        assert answer.is_success, answer.text
        return answer.json()

    # The web machine dies with what it was sent: that is in the bucket.
    web = machines.new("web")
    ask(web, "admin", "POST", "intake", files=[("files", (name, data)) for name, data in sent.items()])
    die(web)
    batch = IntakeBatch.objects.get()

    # One worker dies in the midst of the intake, another goes on.
    cpu = machines.new("cpu")
    wait_until(lambda: batch.files.exclude(outcome=IntakeOutcome.PENDING).exists(), cpu)
    die(cpu)
    assert batch.files.filter(outcome=IntakeOutcome.PENDING).exists(), "it was to die in the midst of it"
    cpu = machines.new("cpu")
    wait_until(lambda: ended("intake", project), cpu)
    assert set(IntakeFile.objects.values_list("outcome", flat=True)) == {IntakeOutcome.ADDED}
    assert Item.objects.filter(project=project).count() == PHOTOS and not STAGING.names()

    # The machine that embedded dies, and another one trains on its vectors.
    gpu = machines.new("gpu")
    wait_until(lambda: ended("embed", project), gpu)
    die(gpu)
    items = list(Item.objects.filter(project=project).order_by("pk"))
    settle(project, items[:24], ["functional", "defective"] * 12)
    embedded = {name: VECTORS.names(name) for name in VECTORS.names()}
    request_training(project=project, by=None)
    gpu = machines.new("gpu")
    wait_until(lambda: ended("train", project), gpu)
    die(gpu)
    assert {name: VECTORS.names(name) for name in VECTORS.names()} == embedded, "nothing was embedded again"
    version = ModelVersion.objects.get()
    assert version.snapshot.ground_truth_ids and version.manifest["unusable_photos"] == 0
    assert MODELS.all() == [version.artifact]

    # A web machine that never saw the model promotes it, and the worker scores by it.
    web = machines.new("web")
    ask(web, "admin", "POST", f"models/{version.number}/promote", json={"reason": "the first"})
    assert champion(project) == version
    wait_until(lambda: Ranking.objects.filter(model_version=version, current=True).exists(), cpu)

    # People label; the web machine dies, and what it had confirmed is there.
    task = ask(web, "labeler", "POST", "claims", json={"count": 1})["tasks"][0]
    key = str(uuid.uuid4())
    answer = {"key": key, "lease": task["lease"], "kind": "class", "class": "functional", "view_ms": 1400}
    ask(web, "labeler", "POST", "annotations", json=answer)
    die(web)
    assert Annotation.objects.get().key == uuid.UUID(key)
    web = machines.new("web")
    for sha256 in {item.image.sha256 for item in items[:3]}:
        photo = f"{web.url}/api/v1/projects/{project.slug}/photos/{sha256}/screen.webp"
        assert httpx.get(photo, headers=headers["labeler"], timeout=60).content[:4] == b"RIFF"
    folders, files = objects.listing("")
    assert set(folders) >= {"originals", "embeddings", "models"} and not files
