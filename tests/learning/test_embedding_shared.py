"""Several workers embed one pool: nobody does another's part again, and what a dead one left is taken up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import connection

from inference import backbones
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning.compute import embedding, sharing
from labeling.learning.compute.stores import store_of
from tests.factories import make_project
from tests.learning.building import run_job
from tests.learning.test_embedding import embed_jobs, stored, with_photos

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "PART", 4)


@pytest.fixture
def another_worker() -> Any:
    """A session of its own with the database."""
    other = connection.copy()
    yield other
    other.close()


def claim_in(other: Any, part: sharing.Part, backbone_hash: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("labeling.database.locks.connection", other)
        claim = sharing.claimed(part, backbone_hash)
        assert claim.__enter__()


def test_parts_are_the_same_for_everybody_and_leave_nothing_out() -> None:
    project = make_project()
    items = with_photos(project, 10, start=2000)
    found = list(sharing.parts(project))
    assert [len(part.hashes) for part in found] == [4, 4, 2]
    assert [key for part in found for key in part.hashes] == [item.image.sha256 for item in items]
    with_photos(project, 3, start=2100)
    assert [part.first for part in sharing.parts(project)][:3] == [part.first for part in found]


def test_a_claimed_part_is_left_to_its_owner_and_taken_up_when_that_one_dies(
    monkeypatch: pytest.MonkeyPatch, another_worker: Any
) -> None:
    project = make_project()
    with_photos(project, 10, start=2200)
    backbone = backbones.load(project.backbone)
    claim_in(another_worker, list(sharing.parts(project))[1], backbone.content_hash, monkeypatch)
    seen: list[int] = []

    def the_other_dies(_: float) -> None:
        seen.append(stored(project))
        another_worker.connection.close()

    monkeypatch.setattr(embedding.time, "sleep", the_other_dies)
    job = run_job(embed_jobs(project)[0])
    assert job.state == JobState.SUCCEEDED, job.trace
    assert seen == [6]
    assert job.result is not None
    assert (job.result["embedded"], job.result["helped"], stored(project)) == (10, 0, 10)


def test_what_another_worker_stores_is_not_embedded_again_and_counts(
    monkeypatch: pytest.MonkeyPatch, another_worker: Any
) -> None:
    project = make_project()
    with_photos(project, 10, start=2300)
    backbone = backbones.load(project.backbone)
    part = next(sharing.parts(project))
    claim_in(another_worker, part, backbone.content_hash, monkeypatch)

    def the_other_ends(_: float) -> None:
        vectors = np.ones((4, backbone.dim), dtype=np.float32)
        store_of(backbone).append(part.hashes, vectors)
        another_worker.connection.close()

    monkeypatch.setattr(embedding.time, "sleep", the_other_ends)
    job = run_job(embed_jobs(project)[0])
    assert job.result is not None
    assert (job.result["embedded"], job.result["helped"], job.result["already"]) == (10, 4, 0)
    assert (store_of(backbone).rows(part.hashes) == 1).all()
    assert len(store_of(backbone)) == 10


def test_a_helper_embeds_parts_and_the_job_only_counts_them() -> None:
    project = make_project()
    with_photos(project, 9, start=2400)
    help = run_job(enqueue(kind="embed_help", queue="gpu", project_id=project.pk))
    assert help.result is not None and (help.result["busy"], help.result["embedded"]) == (False, 9)
    job = run_job(embed_jobs(project)[0])
    assert job.result is not None and (job.result["embedded"], job.result["already"]) == (0, 9)


def test_a_helper_in_a_process_that_embeds_already_goes_at_once() -> None:
    project = make_project()
    with_photos(project, 3, start=2500)
    with sharing.this_process():
        job = run_job(enqueue(kind="embed_help", queue="gpu", project_id=project.pk))
    assert job.result is not None and job.result["busy"] is True
    assert stored(project) == 0


def alive(workers: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
        for _ in range(workers):
            cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")


def test_help_is_asked_for_while_workers_outnumber_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "ASK_EVERY_S", 0.0)
    project = make_project()
    helpers = sharing.Helpers(project)

    def asked() -> int:
        helpers.ask()
        return Job.objects.of_project(project.pk).filter(kind="embed_help").count()

    alive(1)
    assert asked() == 0
    alive(3)
    assert [asked() for _ in range(4)] == [1, 2, 2, 2]


def test_help_is_asked_for_less_often_when_it_was_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(sharing.time, "monotonic", lambda: now)
    alive(2)
    project = make_project()
    helpers = sharing.Helpers(project)
    times = []
    for second in range(1, 121):
        now = float(second)
        helpers.ask()
        for job in Job.objects.of_project(project.pk).filter(kind="embed_help").live():
            times.append(second)
            Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED, result={"busy": True})
    gaps = np.diff(times)
    assert len(gaps) >= 2 and (gaps[1:] > gaps[:-1]).all()


def test_a_part_that_another_worker_holds_for_ever_is_embedded_in_the_end(
    monkeypatch: pytest.MonkeyPatch, another_worker: Any
) -> None:
    project = make_project()
    with_photos(project, 5, start=2600)
    backbone = backbones.load(project.backbone)
    claim_in(another_worker, next(sharing.parts(project)), backbone.content_hash, monkeypatch)
    waits: list[float] = []
    monkeypatch.setattr(embedding, "PATIENCE_S", 1.0)
    monkeypatch.setattr(embedding.time, "sleep", waits.append)
    job = run_job(embed_jobs(project)[0])
    assert job.state == JobState.SUCCEEDED and stored(project) == 5
    assert sum(waits) == 1.0
