"""Near-duplicates lie on one side of every split that a training, the lab or an adaptation makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from inference import finetune, replay
from labeling.catalog.models import Item, Project
from labeling.jobs.models import JobState
from labeling.learning.adaptation import services as adaptation
from labeling.learning.compute import diagnosis, finetuning
from labeling.learning.lab import services as lab
from labeling.learning.services import request_training
from labeling.truth.models import Draw, Gold
from tests.factories import make_items, make_project
from tests.learning.building import run_job, separable_project, settle, store_vectors

pytestmark = pytest.mark.django_db


def alike(*items: Item) -> None:
    Item.objects.filter(pk__in=[item.pk for item in items]).update(twins_of=items[0].pk)


def in_pairs(items: list[Item]) -> None:
    for one, other in zip(items[::4], items[2::4], strict=False):  # of one class
        alike(one, other)


def groups_of(project: Project) -> list[int]:
    rows = project.items.order_by("image__sha256").values_list("twins_of", "pk")
    return [twins or own for twins, own in rows]


def test_the_learning_curve_and_fine_tuning_fold_as_the_head_does(monkeypatch: pytest.MonkeyPatch) -> None:
    project, items, _keys = separable_project(40)
    in_pairs(items)
    given: dict[str, Any] = {}

    def curve(*_args: Any, groups: Any, **_options: Any) -> list[Any]:
        given["curve"] = groups
        return []

    def tune(*_args: Any, groups: Any, **_options: Any) -> None:
        given["tuned"] = groups
        raise finetune.Diverged("enough was seen")

    monkeypatch.setattr(diagnosis.subsampling, "curve", curve)
    monkeypatch.setattr(finetuning.finetune, "fine_tune", tune)
    hashes = list(project.items.order_by("image__sha256").values_list("image__sha256", flat=True))
    monkeypatch.setattr(finetuning, "decoded_squares", lambda *_args, **_options: (np.empty(0), hashes))
    job = request_training(project=project, by=None)
    job.args |= {"finetune": True}
    job.save(update_fields=["args"])
    assert run_job(job).state == JobState.SUCCEEDED, job.error + job.trace
    assert given["curve"] == given["tuned"] == groups_of(project)


def test_photos_that_are_all_alike_are_refused_in_words() -> None:
    project, items, _keys = separable_project(12)
    alike(*items)
    job = run_job(request_training(project=project, by=None))
    assert job.state == JobState.FAILED and "near-duplicates of each other" in job.error and not job.trace


@pytest.mark.parametrize("audited", [0, lab.LEAST_AUDIT])
def test_the_lab_never_labels_a_near_duplicate_of_what_it_judges_on(
    audited: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, items, _keys = separable_project(80, apart=0.35, boundary_after=30)
    if audited:
        others = make_items(project, audited, seed=9)
        keys = [("functional", "defective")[index % 2] for index in range(audited)]
        store_vectors(project, others, keys, apart=0.35)
        settle(project, others, keys, draw=Draw.AUDIT)
        for one, other in zip(others[:10], items[:10], strict=True):
            alike(one, other)
    else:
        in_pairs(items)
    seen: list[tuple[set[int], set[int]]] = []
    real = replay.replay

    def looked(*args: Any, test: Any, groups: Any, **options: Any) -> Any:
        pool = replay.pool_beside(test, len(groups), groups)
        seen.append((set(groups[test]), set(groups[pool])))
        return real(*args, test=test, groups=groups, **options)

    monkeypatch.setattr(replay, "replay", looked)
    asked = {"strategies": ["random", "uncertain"], "labelers": "clean", "seeds": 2}
    job = run_job(lab.request_lab(project=project, by=project.created_by, **asked))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    assert job.result and job.result["test"]["kind"] == ("audit" if audited else "held_out")
    assert len(seen) == 4
    for test, pool in seen:
        assert test and pool and not test & pool
        assert len(pool) == 70 if audited else len(test) + len(pool) == 60


def test_adaptation_leaves_out_near_duplicates_of_what_judges() -> None:
    project = make_project()
    items = make_items(project, 12)
    Item.objects.filter(pk=items[0].pk).update(audit_drawn_at=timezone.now())
    settle(project, items[1:2], ["functional"])
    Gold.objects.create(
        item=items[2],
        project=project,
        label_class=project.label_classes.get(key="functional"),
        added_by=project.created_by,
    )
    for judging, twin in zip(items[:3], items[3:6], strict=True):
        alike(judging, twin)
    alike(items[6], items[7])
    assert set(adaptation.usable(project)) == set(items[6:])
    excluded = adaptation.readiness(project).excluded
    assert excluded == {"audit": 1, "gold": 1, "settled": 1, "alike": 3}
