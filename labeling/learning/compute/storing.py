"""A model version and its snapshot, written together and once, however it was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max

from labeling.catalog.models import Project
from labeling.catalog.services import log_activity
from labeling.jobs.models import Job
from labeling.learning.compute.diagnosis import Diagnosis
from labeling.learning.models import Diagnostics, ModelVersion, Snapshot
from labeling.learning.training_set import TrainingSet


@dataclass(frozen=True)
class Made:
    """``artifact``: its folder, whose ``manifest`` this is. ``diagnosis``: none of a head that was trained elsewhere."""

    artifact: str
    manifest: dict[str, Any]
    figures: dict[str, Any]
    comparison: dict[str, Any] | None
    diagnosis: Diagnosis | None


@transaction.atomic
def store_version(
    made: Made,
    *,
    job: Job,
    project: Project,
    learned: TrainingSet,
    ground_truth_ids: Iterable[int],
    tell: dict[str, Any],
) -> ModelVersion:
    """Snapshot and version in one transaction, unless another run of the same job was first.

    Args:
        learned: what the snapshot counts; its classes are the order of the head's probabilities.
        ground_truth_ids: those that the version counts as having seen.
        tell: what the activity says beside its number and accuracy, its ``kind`` first.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # numbers go up by one
    if existing := ModelVersion.objects.filter(job=job).first():
        return existing
    snapshot = Snapshot.objects.create(
        project=project,
        guideline_id=learned.guideline_id,
        ground_truth_ids=sorted(ground_truth_ids),
        digest=learned.digest,
        counts=learned.counts,
    )
    newest = ModelVersion.objects.filter(project=project).aggregate(newest=Max("number"))["newest"] or 0
    version = ModelVersion.objects.create(
        project=project,
        number=newest + 1,
        snapshot=snapshot,
        job=job,
        backbone=made.manifest["backbone"],
        backbone_hash=made.manifest["backbone_hash"],
        classes=[each.id for each in learned.classes],
        artifact=made.artifact,
        manifest=made.manifest,
        metrics=made.figures,
        comparison=made.comparison,
        created_by=job.requested_by,
    )
    if made.diagnosis is not None:
        Diagnostics.objects.create(model_version=version, **vars(made.diagnosis))
    log_activity(
        project=project,
        actor=job.requested_by,
        number=version.number,
        accuracy=made.figures["cross_validated"]["accuracy"]["value"],
        **tell,
    )
    return version
