"""What is known of a project's model versions: the champion, metrics, how they compare, what is under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery

from labeling.catalog.models import LabelClass, Project
from labeling.jobs.models import Job, JobQuerySet
from labeling.learning.models import ModelVersion, Promotion, Snapshot
from labeling.truth.models import GroundTruth


def champion(project: Project) -> ModelVersion | None:
    """The version promoted last; ``None`` before the first promotion."""
    latest = Promotion.objects.filter(project=project).select_related("model_version").first()
    return latest.model_version if latest else None


def versions(project: Project) -> QuerySet[ModelVersion]:
    """All versions, newest first, each with ``promoted_at`` (the last time) and its snapshot."""
    promoted = Promotion.objects.filter(model_version=OuterRef("pk")).order_by("-id")
    return (
        ModelVersion.objects.filter(project=project)
        .select_related("snapshot", "created_by")
        .annotate(promoted_at=Subquery(promoted.values("created_at")[:1]))
        .order_by("-number")
    )


def version(project: Project, number: int) -> ModelVersion | None:
    return versions(project).filter(number=number).first()


def promotions(project: Project) -> QuerySet[Promotion]:
    """Newest first."""
    return Promotion.objects.filter(project=project).select_related("model_version", "by")


def newest_ground_truth_id(project: Project) -> int:
    """Id of the newest ground truth row; 0 when there is none."""
    newest: int | None = GroundTruth.objects.filter(project=project).aggregate(newest=Max("id"))["newest"]
    return newest or 0


def new_ground_truths(project: Project) -> int:
    """Trainable ground truths since a training was last asked for. Costs what is new, not what there is."""
    last = (
        Job.objects.of_project(project.pk)
        .filter(kind="train")
        .order_by("-created_at")
        .values_list("args", flat=True)
        .first()
    )
    up_to = int((last or {}).get("up_to", 0))
    return GroundTruth.objects.trainable().filter(project=project, pk__gt=up_to).count()


@dataclass(frozen=True)
class SnapshotDetails:
    """What a version was trained on. ``counts``: class key -> ground truths."""

    digest: str
    total: int
    counts: dict[str, int]
    guideline_number: int
    added: int
    removed: int
    before: int | None


def snapshot_details(model_version: ModelVersion) -> SnapshotDetails:
    """The snapshot, and what changed against the version before: ground truths added and no longer used."""
    snapshot = model_version.snapshot
    previous = (
        ModelVersion.objects.filter(project=model_version.project_id, number__lt=model_version.number)
        .select_related("snapshot")
        .first()
    )
    now = set(snapshot.ground_truth_ids)
    then = set(previous.snapshot.ground_truth_ids) if previous else set()
    return SnapshotDetails(
        digest=snapshot.digest,
        total=len(now),
        counts=dict(snapshot.counts),
        guideline_number=snapshot.guideline.number,
        added=len(now - then),
        removed=len(then - now),
        before=previous.number if previous else None,
    )


@dataclass(frozen=True)
class ComparedFigure:
    """One figure of two versions, each as {value, low, high} or ``None`` where it is undefined."""

    name: str
    label_class: str
    left: dict[str, float] | None
    right: dict[str, float] | None

    @property
    def difference(self) -> float | None:
        if self.left is None or self.right is None:
            return None
        return self.right["value"] - self.left["value"]


def compare(left: ModelVersion, right: ModelVersion) -> list[ComparedFigure]:
    """Cross-validated figures of two versions side by side: accuracy, then each class's precision and recall.

    Each version is judged on its own ground truths, so small differences may come from the photos. The paired
    comparison on the same photos is ``ModelVersion.comparison``.
    """
    a, b = left.metrics["cross_validated"], right.metrics["cross_validated"]
    figures = [ComparedFigure("accuracy", "", a["accuracy"], b["accuracy"])]
    for key in dict.fromkeys([*left.metrics["order"], *right.metrics["order"]]):
        for name in ("precision", "recall"):
            figures.append(
                ComparedFigure(
                    name,
                    key,
                    a["classes"].get(key, {}).get(name),
                    b["classes"].get(key, {}).get(name),
                )
            )
    return figures


def class_keys(model_version: ModelVersion) -> list[str]:
    """Class keys in the order of the probabilities."""
    keys = dict(LabelClass.objects.filter(pk__in=model_version.classes).values_list("pk", "key"))
    return [keys[pk] for pk in model_version.classes]


def latest_snapshot(project: Project) -> Snapshot | None:
    return Snapshot.objects.filter(project=project).order_by("-id").first()


def jobs(project: Project) -> JobQuerySet:
    """The project's jobs, newest first."""
    return Job.objects.of_project(project.pk).select_related("requested_by").order_by("-created_at")


def accuracy(model_version: ModelVersion) -> dict[str, Any] | None:
    """Cross-validated accuracy as {value, low, high}."""
    figure: dict[str, Any] | None = model_version.metrics["cross_validated"]["accuracy"]
    return figure


def audit_accuracy(model_version: ModelVersion) -> dict[str, Any] | None:
    """Accuracy on the randomly drawn photos as {value, low, high}; ``None`` when there were none."""
    audit = model_version.metrics.get("audit")
    figure: dict[str, Any] | None = audit["accuracy"] if audit else None
    return figure
