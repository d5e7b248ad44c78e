"""Photos with embeddings on a circle, and the explorer's jobs as in a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from pytest_django import Settings

import labeling.explorer.tasks  # noqa: F401  (registers the handlers)
from inference import backbones
from labeling.catalog.models import Item, Project
from labeling.explorer.laying_out import request_space
from labeling.jobs.models import Job, JobState
from labeling.learning.compute.stores import store_of
from labeling.people.models import User
from tests.factories import make_items, make_member, make_project
from tests.learning.building import run_job


@dataclass
class Circle:
    """Photo n of the project lies at the angle n · 360° / ``of``; as near as the numbers are, photos look alike."""

    project: Project
    items: list[Item]
    reviewer: User
    of: int

    @property
    def client(self) -> Client:
        client = Client()
        client.force_login(self.reviewer)
        return client

    def put(self, items: Sequence[Item], numbers: Sequence[float]) -> None:
        store = store_of(backbones.load(self.project.backbone))
        axes = np.random.default_rng(0).normal(size=(2, store.dim))
        angles = 2 * np.pi * np.array(numbers) / self.of
        rows = np.column_stack([np.cos(angles), np.sin(angles)]) @ axes
        store.append([item.image.sha256 for item in items], rows.astype(np.float32))

    def fill(self, **asked: bool) -> Job:
        job = run_job(request_space(project=self.project, **asked))
        assert job.state == JobState.SUCCEEDED, job.error + job.trace
        return job

    def numbers(self, ids: Sequence[int]) -> list[int]:
        place = {item.pk: number for number, item in enumerate(self.items)}
        return [place[pk] for pk in ids]


@pytest.fixture
def circle(db: None, settings: Settings, tmp_path: Path) -> Circle:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.STAGING_DIR = tmp_path / "staging"
    project = make_project()
    found = Circle(project, make_items(project, 40), make_member(project, "reviewer"), 40)
    found.put(found.items, range(40))
    return found
