"""A real worker is killed in the middle of embedding, and nothing that it stored is done again."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from django.core.files.storage import default_storage
from pytest_django import Settings

from inference import backbones
from labeling.catalog.services import add_image, add_items
from labeling.catalog.storage import original_name
from labeling.jobs.models import Job, JobState
from labeling.learning.compute.embedding import CHUNK
from labeling.learning.compute.stores import store_of
from tests.factories import make_project, photo_bytes
from tests.stack import Stack

#: The worker stores what it embedded a chunk at a time.
PHOTOS = CHUNK + 20


def wait_until(what: Callable[[], bool], seconds: float, stack: Stack) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, stack.log("worker")[-4000:]
        time.sleep(0.05)


def test_another_worker_goes_on_where_the_killed_one_stopped(live_stack: Stack, settings: Settings) -> None:
    settings.EMBEDDINGS_DIR = Path(os.environ["HILLTOP_VAR"]) / "embeddings"  # the worker's own
    shutil.rmtree(settings.EMBEDDINGS_DIR, ignore_errors=True)  # what an earlier run in this process left
    project = make_project()
    images = [
        (add_image(data=photo_bytes(50_000 + at, size=(64, 64)))[0], f"{at}.png") for at in range(PHOTOS)
    ]
    add_items(project=project, images=images, source="test")
    hashes = [image.sha256 for image, _name in images]
    backbone = backbones.load(project.backbone)
    job = Job.objects.get(kind="embed", project_id=project.pk)
    # Nobody writes into this pipe, so whoever comes to the last photo waits there until it is killed.
    last = Path(default_storage.path(original_name(hashes[-1])))
    data = last.read_bytes()
    last.unlink()
    os.mkfifo(last)

    def stored() -> int:
        return PHOTOS - len(store_of(backbone).missing(hashes))

    victim = live_stack.start_worker()
    wait_until(lambda: stored() > 0, 300, live_stack)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    kept = stored()
    assert kept == CHUNK, "the worker was to be killed in mid-job"
    last.unlink()
    last.write_bytes(data)

    live_stack.start_worker()
    wait_until(lambda: not Job.objects.get(pk=job.pk).is_live, 300, live_stack)
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED and job.attempts == 2
    assert job.result is not None
    assert (job.result["already"], job.result["embedded"], job.result["failed"]) == (kept, PHOTOS - kept, 0)
    assert stored() == PHOTOS
