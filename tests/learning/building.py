"""What this room's tests stand on: ground truths, embeddings that tell classes apart, jobs that run."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
from django.utils import timezone

from inference import backbones
from labeling.catalog.models import Guideline, Item, LabelClass, Project
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning.compute.stores import store_of
from labeling.learning.services import request_training
from labeling.truth.models import Draw, GroundTruth, Origin, TruthKind
from tests.factories import make_items, make_project
from tests.kept import made_once


def settle(
    project: Project,
    items: list[Item],
    keys: list[str],
    *,
    draw: str = Draw.RANK,
    origin: str = Origin.AGREEMENT,
) -> list[GroundTruth]:
    """One ground truth an item, as if people had agreed."""
    classes = {each.key: each for each in LabelClass.objects.filter(project=project)}
    guideline = Guideline.objects.filter(project=project).order_by("-number")[0]
    if draw == Draw.AUDIT:
        Item.objects.filter(pk__in=[item.pk for item in items]).update(audit_drawn_at=timezone.now())
    return [
        GroundTruth.objects.create(
            project=project,
            item=item,
            kind=TruthKind.CLASS,
            label_class=classes[key],
            origin=origin,
            draw=draw,
            guideline=guideline,
        )
        for item, key in zip(items, keys, strict=True)
    ]


def store_vectors(project: Project, items: list[Item], keys: list[str], *, apart: float = 1.0) -> None:
    """Embeddings in the real store: noise, moved by ``apart`` along one direction a class."""
    store = store_of(backbones.load(project.backbone))
    columns = {key: index for index, key in enumerate(dict.fromkeys(sorted(keys)))}
    hashes = [item.image.sha256 for item in items]
    vectors = np.stack(
        [
            # By the seeded random key: the hashes differ from run to run, and so would the figures.
            np.random.default_rng(int(item.random_key * 2**32)).normal(size=store.dim).astype(np.float32)
            for item in items
        ]
    )
    for row, key in enumerate(keys):
        at = columns[key] * 20
        vectors[row, at : at + 20] += apart
    store.append(hashes, vectors)


@made_once
def separable_project(
    count: int = 40, *, apart: float = 1.0, unlabeled: int = 0, **settings: Any
) -> tuple[Project, list[Item], list[str]]:
    """A project with embedded photos of two classes in turn; all but the last ``unlabeled`` are settled."""
    project = make_project(**settings)
    items = make_items(project, count)
    keys = [("functional", "defective")[index % 2] for index in range(count)]
    store_vectors(project, items, keys, apart=apart)
    labeled = count - unlabeled
    settle(project, items[:labeled], keys[:labeled])
    return project, items, keys


@made_once
def trained_project(
    count: int = 40, *, apart: float = 1.0, unlabeled: int = 0, **settings: Any
) -> tuple[Project, list[Item], list[str]]:
    """The same with version 1, trained on all that is settled."""
    project, items, keys = separable_project(count, apart=apart, unlabeled=unlabeled, **settings)
    job = run_job(request_training(project=project, by=None))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    return project, items, keys


def ask_again(project: Project, *, seed: int = 0, auto: bool = False) -> Job:
    """A training on the data of the last one, which the service would refuse: to compare what comes out."""
    return enqueue(
        kind="train", queue="gpu", project_id=project.pk, args={"seed": seed, "auto": auto, "up_to": 0}
    )


def run_job(job: Job) -> Job:
    runner.run(job.pk)
    job.refresh_from_db()
    return job


def sha(folder: Path) -> str:
    return hashlib.sha256(folder.read_bytes()).hexdigest()


def points(path: str) -> list[tuple[float, float]]:
    """The corners that a path of an SVG names by both coordinates."""
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]
