"""The job ``register``: a head that was trained elsewhere is read, judged, and kept as a challenger like any other.

Certificates, should it serve one day, rest on photos that are drawn after that; and its snapshot, by which all else tells
what a version has seen, holds every ground truth that there was. A head that learned from photos without one certifies
nothing.
"""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
from django.utils.translation import gettext_noop

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.jobs.progress import Cancelled, JobError, Progress
from labeling.learning import registering, selectors, services
from labeling.learning.compute import artifact, outside
from labeling.learning.compute.comparison import compare_with_champion
from labeling.learning.compute.embedding import project_of
from labeling.learning.compute.stores import open_store
from labeling.learning.compute.storing import Made, store_version
from labeling.learning.head_manifest import read_manifest
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import training_set
from labeling.store.folders import STAGING
from labeling.truth.models import GroundTruth

GONE = gettext_noop("What was sent is not there any more. Send the head again.")


def make_version(progress: Progress) -> dict[str, Any]:
    """Returns {model, judged_on, accuracy}. Raises :class:`JobError` where the head is refused, with why."""
    project = project_of(progress)
    staged = str(progress.args["staged"])
    try:
        made = ModelVersion.objects.filter(job=progress.job).first() or _made(progress, project, staged)
    except (JobError, Cancelled):
        STAGING.drop(staged)
        raise
    STAGING.drop(staged)
    if made.backbone != project.backbone_name:
        services.request_embedding(project=project)
    judged = made.metrics["cross_validated"]
    return {"model": made.number, "judged_on": judged["n"], "accuracy": judged["accuracy"]}


def _made(progress: Progress, project: Project, staged: str) -> ModelVersion:
    try:
        folder = STAGING.get(staged)
        said = read_manifest((folder / registering.MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise JobError(GONE) from error
    part = registering.part_of(project, said)
    if part is None:
        raise JobError(outside.OUTDATED)
    head = outside.read(folder, said, part)
    found = outside.in_classes_of(head, project, training_set(project))
    judged = outside.not_seen(project, found, said.trained_on, part)
    progress.report(0, len(judged.examples), gettext_noop("Judging the head"))
    store = open_store(part.backbone_hash, part.dim)
    proba = outside.probabilities(head, store.rows([example.sha256 for example in judged.examples]))
    champion = selectors.champion(project)
    comparison = None
    if champion is not None:
        resolution = class_resolution(project)
        comparison = compare_with_champion(
            champion=champion, learned=judged, challenger=proba, resolution=resolution, seed=0
        )
    truths = GroundTruth.objects.current().filter(project=project)
    relative = f"{project.slug}/{uuid.uuid4()}"
    manifest = artifact.save(
        relative,
        head,
        artifact.OutOfFold(np.array([each.item_id for each in judged.examples], dtype=np.int64), proba),
        {
            "project": project.slug,
            "job": str(progress.job.pk),
            "backbone": part.backbone,
            "backbone_hash": part.backbone_hash,
            "backbones": [vars(part)],
            "base": project.backbone_name,
            "seed": None,
            "registered": said.weights_sha256,
            "trained_on": len(said.trained_on),
            "unsettled": len(
                set(said.trained_on) - set(truths.values_list("item__image__sha256", flat=True))
            ),
            "judged_on": len(judged.examples),
            "snapshot_digest": found.digest,
        },
    )
    made: ModelVersion | None = None
    try:
        progress.check()
        made = store_version(
            Made(relative, manifest, outside.figures(head, judged, proba), comparison, None),
            job=progress.job,
            project=project,
            learned=found,
            ground_truth_ids=truths.values_list("pk", flat=True),
            tell={"kind": "model_registered", "judged_on": len(judged.examples)},
        )
    finally:
        if made is None or made.artifact != relative:
            artifact.discard(relative)
    return made
