"""A project with 300 classes is trained, promoted and ranked, and every page of it opens, light and in few queries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

import labeling.learning.tasks
import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from inference import backbones
from labeling.catalog.models import Project
from labeling.frontier import shown_ladders
from labeling.jobs.models import Job, JobState
from labeling.learning.compute.stores import store_of
from labeling.learning.confused import MOST, most_confused
from labeling.learning.models import ModelVersion
from labeling.learning.services import promote, request_training
from labeling.queue import services as queue
from labeling.truth.models import Dispute
from tests.factories import make_items, make_member, make_project
from tests.kept import made_once
from tests.learning.building import run_job, settle
from tests.overview.test_one_figure_one_value import addresses
from tests.queue.conftest import answer_with

pytestmark = pytest.mark.django_db

MANY = 300
#: Of any page. The overview and the frontier's page ask the most, with two classes as with 300.
QUERIES = 130
#: Of any page's HTML, before it is compressed: some 3 KB a class, and nothing a pair of classes.
BYTES = 3_300 * MANY


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"
    settings.BACKBONES_DIR = tmp_path / "backbones"


@made_once
def project_of_many() -> Project:
    """Three photos a class, two of them settled; embeddings that tell the classes apart."""
    keys = [f"part-{n}" for n in range(MANY)]
    project = make_project(classes=tuple(keys), backbone="tiny:net")  # a small head is trained soon
    items = make_items(project, 3 * MANY)
    store = store_of(backbones.load(project.backbone))
    noise = np.random.default_rng(0)
    centres = 3 * noise.normal(size=(MANY, store.dim))
    vectors = np.concatenate([centres] * 3) + noise.normal(size=(len(items), store.dim))
    store.append([item.image.sha256 for item in items], vectors.astype(np.float32))
    settle(project, items[: 2 * MANY], keys * 2)
    trained = run_job(request_training(project=project, by=None))
    assert trained.state == JobState.SUCCEEDED, trained.error + trained.trace
    promote(model_version=ModelVersion.objects.get(), by=project.created_by)
    for job in Job.objects.filter(state=JobState.QUEUED):
        assert run_job(job).state == JobState.SUCCEEDED
    return project


def admin_of(project: Project) -> Client:
    client = Client()
    client.force_login(project.created_by)
    return client


def dispute(project: Project) -> None:
    """Two people answer one photo in two ways."""
    for number in range(2):
        person = make_member(project)
        slot = queue.claim(project=project, labeler=person, count=1)[0]
        answer_with(project, slot, f"part-{number}")
    assert Dispute.objects.filter(project=project).count() == 1


def test_every_page_opens_with_a_fixed_number_of_queries_and_a_bounded_weight() -> None:
    project = project_of_many()
    dispute(project)
    client = admin_of(project)
    opened = []
    for address in (*addresses(), "/p/<slug:slug>/models/1", "/p/<slug:slug>/models/1/cell/part-0/part-1"):
        with CaptureQueriesContext(connection) as asked:
            response = client.get(address.replace("<slug:slug>", project.slug))
        if response.status_code == 405 or address.endswith("/map/points"):  # nothing is embedded here
            continue
        assert response.status_code == 200, address
        assert len(asked) <= QUERIES, (address, len(asked))
        if not response.streaming:
            opened.append(address)
            assert len(response.content) <= BYTES, (address, len(response.content))
    assert len(opened) > 20


def test_the_picture_draws_the_ladders_that_need_people_most_and_others_when_they_are_looked_for() -> None:
    project = project_of_many()
    client = admin_of(project)
    address = reverse("project", args=[project.slug])

    def drawn(**query: str) -> set[str]:
        text = client.get(address, {"fragment": "picture", **query}).content.decode()
        return {part.split(":")[0] for part in text.split('data-band="')[1:]}

    assert len(drawn()) == shown_ladders.MOST
    assert "part-299" in drawn(find="Part-299") and len(drawn(find="Part-299")) == 1
    assert drawn(find="part-29") >= {"part-29", "part-290"}
    assert drawn(find="nothing of the kind") == set()


def test_a_matrix_draws_the_classes_with_the_most_mistakes() -> None:
    few = np.eye(MOST, dtype=int).tolist()
    assert most_confused(few) == list(range(MOST))
    matrix = np.eye(100, dtype=int)
    for truth, said, n in ((90, 10, 5), (50, 51, 2)):
        matrix[truth, said] = n
    chosen = most_confused(matrix.tolist())
    assert len(chosen) == MOST and chosen == sorted(chosen)
    assert {90, 10, 50, 51} <= set(chosen)
