"""The prediction service in the test's own process, and a project whose champion has scored real photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings

import labeling.learning.tasks
import labeling.serving.tasks  # noqa: F401  (both register their handlers)
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.jobs.models import Job, JobState
from labeling.learning import services
from labeling.learning.models import ModelVersion
from labeling.serving import asking
from labeling.serving.compute.service import Service
from tests.factories import make_project
from tests.kept import made_once
from tests.learning.building import ask_again, run_job, settle
from tests.learning.one_project import score_items
from tests.learning.test_from_photos_to_scores import stripes_or_disc

KEYS = ("functional", "defective")


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"
    settings.BACKBONES_DIR = tmp_path / "backbones"
    settings.BUNDLES_DIR = tmp_path / "bundles"
    cache.clear()
    yield
    cache.clear()


@dataclass
class Served:
    """Twenty photos, stripes and discs in turn; two versions that learned from twelve, the first is the champion."""

    project: Project
    items: list[Item]
    versions: list[ModelVersion]

    @property
    def champion(self) -> ModelVersion:
        return self.versions[0]


@made_once
def served_project() -> Served:
    project = make_project()
    images = [(add_image(data=stripes_or_disc(index))[0], f"{index}.png") for index in range(20)]
    items = add_items(project=project, images=images, source="test")
    run_job(Job.objects.get(kind="embed"))
    settle(project, items[:12], [KEYS[index % 2] for index in range(12)])
    jobs = [run_job(services.request_training(project=project, by=None)), run_job(ask_again(project, seed=7))]
    assert [job.state for job in jobs] == [JobState.SUCCEEDED] * 2
    versions = list(ModelVersion.objects.filter(project=project).order_by("number"))
    services.promote(model_version=versions[0], by=None)
    # The last two wait for their scores.
    score_items(
        project=project,
        model_version=versions[0],
        item_ids=[item.pk for item in items[:18]],
    )
    return Served(project, items, versions)


@pytest.fixture
def served(db: None) -> Served:
    return served_project()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """What the web process asks, without a socket between them."""
    service = Service()

    def ask(
        method: str, address: str, body: bytes | None, _patience: float, meanwhile: Callable[[], None]
    ) -> tuple[int, bytes]:
        meanwhile()
        path, _mark, query = address.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body or b"")),
            "wsgi.input": BytesIO(body or b""),
        }
        said: list[str] = []
        answer = b"".join(service(environ, lambda status, _headers: said.append(status)))
        return int(said[0].split()[0]), answer

    monkeypatch.setattr(asking, "_ask", ask)
    return service
