"""A small real pool: made photos, a small network's embeddings, a trained champion, and photos that come later."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image as PillowImage

import labeling.frontier.tasks
import labeling.learning.tasks
import labeling.monitors.tasks
import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from labeling.catalog.models import Item
from labeling.catalog.services import add_image, add_items
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.learning import services
from labeling.learning.models import ModelVersion
from labeling.monitors.models import MonitorReading
from labeling.monitors.services import request_monitoring, set_thresholds
from tests.factories import make_project
from tests.kept import made_once
from tests.learning.building import settle

SIDE = 96
WINDOW = 40
KEYS = ("functional", "defective")


def photo(number: int, *, light: float = 1.0) -> bytes:
    """A grey photo with stripes, or with a dark disc where ``number`` is odd; ``light`` multiplies its pixels."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    if number % 2 == 0:
        pixels = 128 + 60 * np.sign(np.sin((x + y * rng.uniform(0.5, 1.5)) / rng.uniform(3, 6)))
    else:
        cx, cy, radius = rng.uniform(30, 66), rng.uniform(30, 66), rng.uniform(12, 26)
        pixels = np.where((x - cx) ** 2 + (y - cy) ** 2 < radius**2, 40.0, 190.0)
    pixels = (pixels + rng.normal(0, 12, pixels.shape) + rng.normal(0, 8)) * light
    buffer = io.BytesIO()
    PillowImage.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


class Stream:
    """A project whose champion learned from 24 of 130 photos; later photos are told from these by the monitors."""

    def __init__(self, **settings: Any) -> None:
        self.project = make_project(**settings)
        self.admin = self.project.created_by
        self.items: list[Item] = []
        self.come(range(130))
        self.truths = settle(self.project, self.items[:24], [KEYS[i % 2] for i in range(24)])
        self.run(services.request_training(project=self.project, by=self.admin))
        services.promote(
            model_version=ModelVersion.objects.get(project=self.project), by=self.admin, reason="first"
        )
        self.work()
        set_thresholds(project=self.project, by=self.admin, window=WINDOW)
        self.work()

    def come(self, numbers: range, *, light: float = 1.0) -> list[Item]:
        """Photos arrive, are embedded, scored and ranked."""
        images = [(add_image(data=photo(n, light=light))[0], f"{n}.png") for n in numbers]
        arrived = list(add_items(project=self.project, images=images, source="test"))
        self.items += arrived
        self.work()
        return arrived

    def look(self) -> None:
        request_monitoring(project=self.project, by=self.admin)
        self.work()

    def work(self) -> None:
        """Do what waits, and what it causes, as workers would; adapting a backbone and the map are left."""
        while (
            job := Job.objects.of_project(self.project.pk)
            .filter(state=JobState.QUEUED)
            .exclude(kind__in=["adapt", "space"])
            .order_by("created_at")
            .first()
        ):
            self.run(job)

    def run(self, job: Job) -> None:
        runner.run(job.pk)
        job.refresh_from_db()
        assert job.state == JobState.SUCCEEDED, f"{job.kind}: {job.error}\n{job.trace}"

    def newest(self, monitor: str) -> MonitorReading:
        return MonitorReading.objects.filter(project=self.project, monitor=monitor)[:1].get()


make_stream = made_once(Stream)
