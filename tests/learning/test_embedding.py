"""Every photo is embedded once, a bad one stops nothing, and what is stored is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import transaction

from inference import backbones
from labeling.catalog import storage
from labeling.catalog.events import items_added, photos_put_back
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import Progress
from labeling.jobs.services import cancel
from labeling.learning import events, services
from labeling.learning.compute import embedding
from labeling.learning.compute.stores import store_of
from labeling.learning.models import ModelVersion
from tests.factories import make_items, make_project, photo_bytes
from tests.learning.building import run_job, settle

pytestmark = pytest.mark.django_db


def with_photos(project: Project, count: int, *, start: int = 0) -> list[Item]:
    """Real photos through the catalog, as intake adds them."""
    images = [(add_image(data=photo_bytes(start + at))[0], f"{at}.png") for at in range(count)]
    return add_items(project=project, images=images, source="test")


def stored(project: Project) -> int:
    return len(store_of(backbones.load(project.backbone)).keys())


def embed_jobs(project: Project) -> list[Job]:
    return list(Job.objects.of_project(project.pk).filter(kind="embed").order_by("created_at"))


def test_added_photos_are_embedded_by_one_job_that_waits_for_all_of_them() -> None:
    project = make_project()
    with_photos(project, 5)
    with_photos(project, 3, start=100)
    (job,) = embed_jobs(project)
    assert job.queue == "gpu"
    run_job(job)
    assert job.state == JobState.SUCCEEDED, job.trace
    assert job.result is not None
    assert (job.result["photos"], job.result["embedded"], job.result["failed"]) == (8, 8, 0)
    assert stored(project) == 8


def test_photos_added_while_a_job_runs_get_a_job_of_their_own() -> None:
    project = make_project()
    with_photos(project, 1)
    (first,) = embed_jobs(project)
    Job.objects.filter(pk=first.pk).update(state=JobState.RUNNING)
    with_photos(project, 1, start=50)
    assert len(embed_jobs(project)) == 2


def test_no_photo_is_embedded_twice_also_across_projects() -> None:
    one, other = make_project(), make_project()
    with_photos(one, 4)
    run_job(embed_jobs(one)[0])
    with_photos(other, 5)
    job = run_job(embed_jobs(other)[0])
    assert job.result is not None and (job.result["embedded"], job.result["already"]) == (1, 4)
    again = run_job(services.request_embedding(project=other))
    assert again.result is not None and (again.result["embedded"], again.result["already"]) == (0, 5)


def test_a_damaged_and_a_lost_photo_are_reported_and_the_others_embedded() -> None:
    project = make_project()
    items = with_photos(project, 5, start=200)
    damaged, lost = items[1].image, items[3].image
    path = default_storage.path(storage.original_name(damaged.sha256))
    with open(path, "rb") as file:
        half = file.read()[:300]
    with open(path, "wb") as file:
        file.write(half)
    default_storage.delete(storage.original_name(lost.sha256))
    job = run_job(embed_jobs(project)[0])
    assert job.state == JobState.SUCCEEDED
    assert job.result is not None and (job.result["embedded"], job.result["failed"]) == (3, 2)
    reasons = {each["sha256"]: each["reason"] for each in job.result["failures"]}
    assert reasons == {damaged.sha256: "truncated", lost.sha256: "missing_file"}
    assert all(each["message"] for each in job.result["failures"])


def test_a_cancelled_job_keeps_what_it_embedded_and_the_next_one_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = make_project()
    with_photos(project, 70, start=300)
    (job,) = embed_jobs(project)
    monkeypatch.setattr("labeling.jobs.progress.REPORT_EVERY_S", 0.0)
    report = Progress.report

    def cancel_after_one_batch(self: Progress, done: int, *rest: Any) -> None:
        if done:
            cancel(job=self.job)
        report(self, done, *rest)

    monkeypatch.setattr(Progress, "report", cancel_after_one_batch)
    run_job(job)
    kept = stored(project)
    assert job.state == JobState.CANCELLED and 0 < kept < 70
    monkeypatch.setattr(Progress, "report", report)
    again = run_job(services.request_embedding(project=project))
    assert again.result is not None
    assert (again.result["already"], again.result["embedded"]) == (kept, 70 - kept)


def test_a_job_that_runs_again_after_a_kill_tells_the_rooms_above_even_with_nothing_left_to_do() -> None:
    project = make_project()
    with_photos(project, 3, start=500)
    (job,) = embed_jobs(project)
    told: list[bool] = []

    def killed(sender: Any, **_: Any) -> None:
        raise KeyboardInterrupt

    def listen(sender: Any, *, project: Project, **_: Any) -> None:
        told.append(transaction.get_connection().in_atomic_block)

    events.embedded.connect(killed)
    try:
        with pytest.raises(KeyboardInterrupt):
            embedding.embed_project(Progress(job))
    finally:
        events.embedded.disconnect(killed)
    assert stored(project) == 3 and not told
    events.embedded.connect(listen)
    try:
        run_job(job)
    finally:
        events.embedded.disconnect(listen)
    assert told == [True]


def test_progress_counts_photos() -> None:
    project = make_project()
    with_photos(project, 6, start=600)
    job = run_job(embed_jobs(project)[0])
    assert (job.done, job.total) == (6, 6)


def test_nothing_added_is_nothing_to_do() -> None:
    project = make_project()
    items_added.send(sender=Project, project=project, item_ids=[])
    assert not embed_jobs(project)


def test_an_unknown_backbone_is_an_error_that_says_what_to_do() -> None:
    project = make_project(backbone="no-such-network")
    job = run_job(services.request_embedding(project=project))
    assert job.state == JobState.FAILED and "settings" in job.error


def test_a_training_embeds_what_it_lacks_and_leaves_out_what_cannot_be_read() -> None:
    project = make_project()
    items = with_photos(project, 8, start=700)
    bare = make_items(project, 2, seed=1)  # rows without a file
    keys = ["functional", "defective"]
    settle(project, items, keys * 4)
    settle(project, bare, keys)
    job = run_job(services.request_training(project=project, by=None))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get()
    assert version.snapshot.counts == {"functional": 4, "defective": 4}
    assert version.manifest["unusable_photos"] == 2
    assert job.result is not None and job.result["unusable"] == 2


def test_a_photo_that_was_lost_is_embedded_once_it_is_put_back() -> None:
    project = make_project()
    lost = with_photos(project, 2, start=300)[0].image
    path = default_storage.path(storage.original_name(lost.sha256))
    with open(path, "rb") as file:
        whole = file.read()
    default_storage.delete(storage.original_name(lost.sha256))
    first = run_job(embed_jobs(project)[0])
    assert first.result is not None and (first.result["embedded"], first.result["failed"]) == (1, 1)
    with open(path, "wb") as file:
        file.write(whole)
    photos_put_back.send(sender=type(lost), project=project)
    (again,) = (job for job in embed_jobs(project) if job.pk != first.pk)
    told = run_job(again).result
    assert told is not None and (told["embedded"], told["failed"]) == (1, 0)
