"""Vectors and scores through the API: those that are stored, page by page, by version and backbone, as of a moment."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

import labeling.learning.tasks  # noqa: F401  (registers the handlers)
from inference import backbones
from labeling.catalog.models import Item, Project
from labeling.jobs.models import Job, JobState
from labeling.learning import selectors, services
from labeling.learning.compute.stores import store_of
from tests.factories import TINY
from tests.learning.building import trained_project
from tests.learning.one_project import score_items

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"


class Caller:
    def __init__(self, project: Project) -> None:
        self.client, self.at = Client(), f"/api/v1/projects/{project.slug}"
        self.client.force_login(project.created_by)

    def get(self, path: str, **parameters: Any) -> Any:
        return self.client.get(self.at + path, parameters)

    def pages(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        answer, rows = self.get(path, **parameters).json(), []
        while True:
            rows += answer["results"]
            if answer["next"] is None:
                return rows
            answer = self.client.get(answer["next"]).json()


def served(count: int = 12) -> tuple[Project, list[Item], Caller]:
    project, items, _keys = trained_project(count)
    version = selectors.version(project, 1)
    services.promote(model_version=version, by=project.created_by)
    score_items(project=project, model_version=version, item_ids=[item.pk for item in items])
    return project, items, Caller(project)


def table_of(answer: Any) -> pyarrow.Table:
    assert answer.status_code == 200 and answer["Content-Type"] == "application/vnd.apache.arrow.stream"
    return pyarrow.ipc.open_stream(io.BytesIO(answer.content)).read_all()


def test_vectors_come_as_they_are_stored_in_json_and_arrow() -> None:
    _project, items, caller = served()
    hashes = [item.image.sha256 for item in items]
    rows = store_of(backbones.load(TINY)).rows(hashes)
    found = caller.pages("/embeddings", limit=5)
    assert [row["sha256"] for row in found] == hashes
    assert np.array_equal(np.array([row["vector"] for row in found], dtype=np.float32), rows)
    first = caller.get("/embeddings", limit=5, format="arrow")
    table = table_of(first)
    assert np.array_equal(np.array(table["vector"].to_pylist(), dtype=np.float32), rows[:5])
    assert json.loads(table.schema.metadata[b"backbones"])[0]["backbone"] == TINY
    assert json.loads(table.schema.metadata[b"version"]) == 1
    following = first["Link"].removeprefix("<").removesuffix('>; rel="next"')
    assert table_of(caller.client.get(following))["sha256"].to_pylist() == hashes[5:10]
    one = caller.get("/embeddings", sha256=",".join(hashes[3:5])).json()
    assert [row["sha256"] for row in one["results"]] == hashes[3:5] and one["next"] is None
    assert caller.get("/embeddings", sha256="0" * 64).status_code == 404


def test_what_was_not_there_then_is_not_told() -> None:
    project, items, caller = served()
    then = timezone.now() - timedelta(days=2)
    Item.objects.filter(pk__in=[item.pk for item in items[:4]]).update(added_at=then - timedelta(days=1))
    answer = caller.get("/embeddings", as_of=then.isoformat(), version=1).json()
    assert [row["sha256"] for row in answer["results"]] == [item.image.sha256 for item in items[:4]]
    # Nothing served then; the embeddings of the project's own backbone are what there was.
    Job.objects.create(
        kind="embed", project_id=project.pk, state=JobState.SUCCEEDED,
        result={"backbones": [{"name": TINY, "content_hash": backbones.load(TINY).content_hash, "dim": 144}]},
    )  # fmt: skip
    answer = caller.get("/embeddings", as_of=then.isoformat()).json()
    assert (answer["version"], len(answer["results"])) == (None, 4)
    assert caller.get("/scores", as_of=then.isoformat()).json()["results"] == []
    assert len(caller.pages("/scores", as_of=timezone.now().isoformat(), limit=5)) == 12


def test_scores_of_a_version_that_does_not_serve_are_not_kept_and_arrow_has_a_column_a_class() -> None:
    project, _items, caller = served()
    table = table_of(caller.get("/scores", format="arrow"))
    plain = caller.get("/scores").json()["results"]
    assert table.to_pylist() == plain and len(plain) == 12
    assert [field.name for field in table.schema.field("probabilities").type] == ["functional", "defective"]
    assert caller.get("/scores", version=1).json()["results"] == plain
    second = selectors.version(project, 1)
    second.pk, second.number = None, 2
    second.save(force_insert=True)
    answer = caller.get("/scores", version=2)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_kept")


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"backbone": "nothing:here"}, 422),
        ({"backbone": TINY, "version": "1"}, 422),
        ({"version": "9"}, 404),
        ({"version": "one"}, 422),
        ({"version": "99999999999"}, 404),
        ({"as_of": "yesterday"}, 422),
        ({"format": "pickle"}, 422),
        ({"sha256": "x"}, 404),
        ({"sha256": ",".join(["0" * 64] * 101)}, 422),
        ({"backbones": TINY}, 400),
    ],
)
def test_what_cannot_be_asked_is_refused(parameters: dict[str, str], status: int) -> None:
    _project, _items, caller = served()
    answer = caller.get("/embeddings", **parameters)
    assert answer.status_code == status and answer.json()["error"]["message"]
