"""A decision is explained by a worker: settled photos nearest for the backbone, and where in the photo it mattered."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image as PillowImage
from pytest_django import Settings

import labeling.learning.tasks  # noqa: F401  (registers the handlers)
from inference.backbones import load
from inference.train import fuse, train_head
from labeling.catalog.models import Image, Item, LabelClass, Project, Role
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import add_image, add_items
from labeling.catalog.storage import original_name
from labeling.frontier.explanations import Explanation, explanation_of, request_explanation
from labeling.frontier.models import (
    AutomaticDecision,
    Certificate,
    CertificationPlan,
    CertificationRun,
    DecisionExplanation,
)
from labeling.jobs.models import Job, JobState
from labeling.learning.compute import artifact
from labeling.learning.compute.stores import store_of, vectors_of
from labeling.learning.models import ModelVersion
from labeling.learning.services import promote, request_training
from labeling.truth.models import GroundTruth
from tests.factories import TINY, make_member, make_project
from tests.inference.test_explain import SIDE, cell
from tests.kept import made_once
from tests.learning.building import run_job, settle

pytestmark = pytest.mark.django_db
TRAINED = 40
IMAGE = Image(sha256="0" * 64, width=100, height=100)


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"


def png(seed: int) -> bytes:
    out = io.BytesIO()
    PillowImage.fromarray(cell(seed, seed % 2 == 1)[0][:, :, 0]).save(out, "PNG")
    return out.getvalue()


class Decided:
    """Made cells, a model that the backbone's vectors trained, and its decision on a defective cell.

    The packaged backbone unless another is asked for: what it looks at is looked at.
    """

    def __init__(self, *, backbone: str = "efficientnet_lite0", **settings: Any) -> None:
        self.project: Project = make_project(backbone=backbone, **settings)
        seeds = [*range(TRAINED), 201]
        self.box = cell(201, True)[1]
        images = [(add_image(data=png(seed))[0], f"{seed}.png") for seed in seeds]
        self.items: list[Item] = add_items(project=self.project, images=images, source="test")
        assert run_job(Job.objects.get(kind="embed")).state == JobState.SUCCEEDED
        keys = [("functional", "defective")[seed % 2] for seed in seeds[:TRAINED]]
        self.truths: list[GroundTruth] = settle(self.project, self.items[:TRAINED], keys)
        training = run_job(request_training(project=self.project, by=self.project.created_by))
        assert training.state == JobState.SUCCEEDED, training.trace
        model = ModelVersion.objects.get()
        promote(model_version=model, by=self.project.created_by, reason="first")
        self.decision = self.decide(model, self.items[-1])

    def decide(self, model: ModelVersion, item: Item, *, use: str = "b") -> AutomaticDecision:
        guideline = current_guideline(self.project)
        label_class = LabelClass.objects.get(project=self.project, key="defective")
        fixed = {"project": self.project, "precision": 0.9, "delta": 0.05}
        plan = CertificationPlan.objects.create(
            **fixed,
            sample="a",
            use=use,
            model_version=model,
            guideline=guideline,
            budget=0.05,
            undecided_are_errors=True,
            ladders={},
            planned={},
        )
        run = CertificationRun.objects.create(
            plan=plan, project=self.project, item_ids=[], digest="0" * 64, counts={}, walks={}
        )
        certificate = Certificate.objects.create(
            **fixed,
            run=run,
            model_version=model,
            guideline=guideline,
            label_class=label_class,
            threshold=0.1,
            coverage=0.5,
            n=60,
            errors=0,
            bound=0.95,
            method="bets",
            digest="0" * 64,
            created_at=timezone.now(),
        )
        return AutomaticDecision.objects.create(
            project=self.project,
            item=item,
            certificate=certificate,
            model_version=model,
            label_class=label_class,
            confidence=0.9,
            probabilities=[0.05, 0.95],
            mode="on",
            audit=False,
        )

    def client(self, role: str = Role.REVIEWER) -> Client:
        client = Client()
        client.force_login(make_member(self.project, role))
        return client

    def address(self, name: str) -> str:
        return reverse(name, args=[self.project.slug, self.decision.pk])


make_decided = made_once(Decided)


def test_a_decision_is_explained_once_by_a_worker_and_the_page_shows_each_state() -> None:
    scene = make_decided()
    client = scene.client()
    page = client.get(scene.address("frontier-decision")).content.decode()
    assert "Explain" in page and "data-heat" not in page
    assert client.get(scene.address("frontier-heat")).status_code == 404
    assert client.get(scene.address("api-explanation")).status_code == 404

    client.post(scene.address("frontier-why"))
    client.post(scene.address("frontier-why"))
    job = Job.objects.get(kind="explain")  # asked twice, looked for once
    waiting = client.get(scene.address("frontier-decision"), {"fragment": "explanation"}).content.decode()
    assert "Waiting for a worker." in waiting and "skeleton" in waiting and "<html" not in waiting

    job = run_job(job)
    assert job.state == JobState.SUCCEEDED, job.trace
    assert job.result == {"decision": scene.decision.pk, "nearest": 6, "heat": True}
    done = client.get(scene.address("frontier-decision")).content.decode()
    assert "Nearest settled photos, by embedding" in done and "data-heat-toggle" in done

    # The heat map peaks on the planted crack.
    left, top, right, bottom = scene.box
    x, y = DecisionExplanation.objects.get().figures["peak"]
    assert left - 12 <= x * SIDE <= right + 12 and top - 12 <= y * SIDE <= bottom + 12
    answer = client.get(scene.address("frontier-heat"))
    assert answer["Content-Type"] == "image/png" and "private" in answer["Cache-Control"]
    alpha = np.asarray(PillowImage.open(io.BytesIO(answer.content)))[:, :, 3]
    row, column = np.unravel_index(int(alpha.argmax()), alpha.shape)
    assert left - 14 <= column / alpha.shape[1] * SIDE <= right + 14
    assert top - 14 <= row / alpha.shape[0] * SIDE <= bottom + 14

    # Most of the nearest settled photos are defective too: half of all would be, by chance.
    why = explanation_of(scene.project, scene.decision)
    assert why.neighbours is not None and why.lowest is not None and why.before is not None
    assert sum(each.key == "defective" for each in why.neighbours) >= 5
    assert why.lowest < why.before
    similarities = [each.similarity for each in why.neighbours]
    assert similarities == sorted(similarities, reverse=True)

    # It is kept: asking again makes no job, and the API tells the same.
    assert request_explanation(decision=scene.decision, by=None) is None
    told = client.post(scene.address("api-explanation"))
    assert told.status_code == 200
    assert [each["class"] for each in told.json()["nearest"]] == [each.key for each in why.neighbours]
    assert client.get(scene.address("api-heat")).content == answer.content

    # A neighbour whose label was changed since says so.
    first = GroundTruth.objects.get(pk=DecisionExplanation.objects.get().nearest[0]["truth"])
    GroundTruth.objects.create(
        project=scene.project,
        item=first.item,
        kind="hold",
        origin="ruling",
        guideline=first.guideline,
        supersedes=first,
    )
    why = explanation_of(scene.project, scene.decision)
    assert why.neighbours is not None and [each.stands for each in why.neighbours][:2] == [False, True]


def test_of_several_backbones_it_is_told_what_they_say_together() -> None:
    further = f"{TINY}+tiles2"
    scene = Decided(backbone=TINY, further_backbones=[further])
    version = scene.decision.model_version
    # Whichever the gate took: the version on both of them is asked for here.
    both = [
        {"backbone": each.name, "backbone_hash": each.content_hash, "dim": each.dim}
        for each in map(load, (TINY, further))
    ]
    hashes = [item.image.sha256 for item in scene.items[:TRAINED]]
    truths = [("functional", "defective")[n % 2] for n in range(TRAINED)]
    heads = [
        train_head(store_of(load(name)).rows(hashes), truths, ["functional", "defective"], seed=0)
        for name in (TINY, further)
    ]
    head = fuse(heads, truths, seed=0).head
    digest = hashlib.sha256("".join(each["backbone_hash"] for each in both).encode()).hexdigest()
    nothing = artifact.OutOfFold(np.zeros(0, dtype=np.int64), np.zeros((0, 2)))
    manifest = artifact.save("fused", head, nothing, {"backbone_hash": digest, "seed": 0, "backbones": both})
    fused = ModelVersion.objects.create(
        project=scene.project, number=9, snapshot=version.snapshot, backbone=f"{TINY} & {further}",
        backbone_hash=digest, classes=version.classes, artifact="fused", manifest=manifest, metrics=version.metrics,
    )  # fmt: skip
    decision = scene.decide(fused, scene.items[1], use="c")
    job = request_explanation(decision=decision, by=None)
    assert job is not None
    job = run_job(job)
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    found = DecisionExplanation.objects.get(decision=decision)
    # The photo as it is, as the stored vectors tell it.
    sha256 = scene.items[1].image.sha256
    expected = head.predict_proba(vectors_of(fused).rows([sha256]))[0, 1]
    assert found.figures["before"] == pytest.approx(expected, abs=0.02)
    assert len(found.nearest) == 6
    page = (
        scene.client()
        .get(reverse("frontier-decision", args=[scene.project.slug, decision.pk]))
        .content.decode()
    )
    assert f"to all backbones of the version together: {TINY}, {further}." in page
    told = scene.client().get(reverse("api-explanation", args=[scene.project.slug, decision.pk])).json()
    assert told["backbones"] == [TINY, further]


def test_what_is_missing_is_said_and_the_rest_is_told() -> None:
    scene = make_decided()
    default_storage.delete(original_name(scene.decision.item.image.sha256))
    job = request_explanation(decision=scene.decision, by=None)
    assert job is not None
    assert run_job(job).state == JobState.SUCCEEDED
    page = scene.client().get(scene.address("frontier-decision")).content.decode()
    assert "There is no heat map: the photo" in page
    assert "Nearest settled photos, by embedding" in page


def test_a_failure_says_what_to_do_and_can_be_tried_again() -> None:
    scene = make_decided()
    client = scene.client()
    answer = client.post(scene.address("api-explanation"))
    assert answer.status_code == 202
    Job.objects.filter(pk=answer.json()["id"]).update(state=JobState.FAILED, error="The backbone is gone.")
    page = client.get(scene.address("frontier-decision"), {"fragment": "explanation"}).content.decode()
    assert "The backbone is gone." in page and "Try again" in page and "Nothing is lost" in page


def test_a_labeler_learns_nothing_of_it() -> None:
    scene = make_decided()
    client = scene.client(Role.LABELER)
    for name in ("frontier-decision", "frontier-heat", "api-explanation", "api-heat"):
        assert client.get(scene.address(name)).status_code == 403
    assert client.post(scene.address("frontier-why")).status_code == 403


@pytest.mark.parametrize(
    ("lowest", "nothing_alone"), [(0.93, True), (0.926, True), (0.92, False), (0.4, False)]
)
def test_an_effect_that_is_nil_is_said_to_be_of_no_single_part(lowest: float, nothing_alone: bool) -> None:
    why = Explanation("done", heat=True, before=0.93, lowest=lowest, where="top")
    assert why.nothing_alone is nothing_alone
    context = {
        "why": why,
        "explained": {"name": "Defective", "decision": {"pk": 1, "item": {"image": IMAGE, "name": "a.png"}}},
        "project": {"slug": "cells"},
    }
    text = " ".join(render_to_string("frontier/_explanation.html", context).split())
    assert ("No single part decided it" in text) is nothing_alone
    assert ("Most tinted: top." in text) is not nothing_alone
