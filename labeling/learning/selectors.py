"""What is known of a project's model versions: the champion, metrics, how they compare, what is under way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from labeling.catalog.models import Item, LabelClass, Project
from labeling.catalog.selectors import class_resolution, current_guideline
from labeling.database.read_once import read_once
from labeling.jobs.models import Job, JobQuerySet, JobState
from labeling.learning import domain_backbones
from labeling.learning.models import Diagnostics, DomainBackbone, ModelVersion, Promotion
from labeling.learning.on_disk import is_whole
from labeling.learning.training_set import TRAINER, size, training_set
from labeling.truth.models import Dispute, GroundTruth, Origin
from labeling.truth.tallies import truths_after

#: Jobs of a project in which the newest count of each backbone is looked for.
LOOKED_THROUGH = 20


@read_once
def champion(project: Project) -> ModelVersion | None:
    """The version promoted last; ``None`` before the first promotion."""
    latest = Promotion.objects.filter(project=project).select_related("model_version").first()
    if latest is None:
        return None
    latest.model_version.project = project  # as whoever goes on from here asks for it
    return latest.model_version


def champions(projects: Sequence[Project]) -> dict[int, ModelVersion]:
    """Project id -> its champion, of those that have one, in one query."""
    latest = Promotion.objects.filter(project__in=projects).order_by("project", "-id").distinct("project")
    return {each.project_id: each.model_version for each in latest.select_related("model_version")}


def knows_todays_classes(version: ModelVersion) -> bool:
    """Whether none of its classes was merged or retired since it was trained."""
    resolution = class_resolution(version.project)
    return all(resolution.get(class_id) == class_id for class_id in version.classes)


def roll_back_to(champion: ModelVersion) -> ModelVersion | None:
    """Of the versions that were champion before this one, the last that could be promoted again."""
    earlier = Promotion.objects.filter(project=champion.project_id).exclude(model_version=champion)
    found = dict.fromkeys(each.model_version for each in earlier.select_related("model_version__project"))
    return next((each for each in found if is_whole(each) and knows_todays_classes(each)), None)


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
    """Trainable ground truths since a training was last asked for."""
    last = (
        Job.objects.of_project(project.pk)
        .filter(kind="train")
        .order_by("-created_at")
        .values_list("args", flat=True)
        .first()
    )
    up_to = int((last or {}).get("up_to", 0))
    newer = truths_after(project, up_to)
    return newer.total() - (0 if project.train_on_assisted else newer[Origin.ASSISTED])


def was_training_asked_for(project: Project) -> bool:
    return Job.objects.of_project(project.pk).filter(kind="train").exists()


def trained_on_the_same(project: Project, *, seed: int) -> ModelVersion | None:
    """The version that a training now, with this seed, would only repeat.

    None since a backbone was adapted, brought in, added or dropped: a training would judge others.
    """
    versions = ModelVersion.objects.filter(project=project)
    names = project.backbone_names
    judged = Q(manifest__bases=names)
    if len(names) == 1:  # as versions say nothing of it that were made before there could be several
        judged |= Q(manifest__bases__isnull=True)
    adapted = DomainBackbone.objects.filter(project=project, base__in=names).first()
    if adapted is not None:
        versions = versions.filter(created_at__gt=adapted.created_at)
    if (given := domain_backbones.brought_in(project)) is not None:
        versions = versions.filter(created_at__gt=given.created_at)
    alike = versions.filter(
        judged,
        Q(backbone=project.backbone_name) | Q(manifest__base=project.backbone_name),
        manifest__seed=seed,
        manifest__trainer=TRAINER,
    )
    # What there is to learn from is read as a whole only where a version has learned from as many.
    as_many = alike.filter(snapshot__ground_truth_ids__len=size(project))
    if not as_many.exists():
        return None
    return as_many.filter(snapshot__digest=training_set(project).digest).order_by("-number").first()


def diagnostics(model_version: ModelVersion) -> Diagnostics | None:
    """``None`` for versions that were trained before diagnostics were kept."""
    return Diagnostics.objects.filter(model_version=model_version).first()


def suspicious(model_version: ModelVersion) -> list[dict[str, Any]]:
    """Doubted labels, most doubtful first: ``item``, ``given`` and ``suggested`` (columns), ``p_given``, ``p_suggested``."""
    found = diagnostics(model_version)
    return list(found.findings["suspicious"]["listed"]) if found else []


def review_states(model_version: ModelVersion, item_ids: Iterable[int]) -> dict[int, str]:
    """Item id -> "open" (in review now) or "ruled" (ruled on, or settled anew, since the version was trained)."""
    ids = list(item_ids)
    states: dict[int, str] = {}
    newer = GroundTruth.objects.filter(item_id__in=ids, created_at__gt=model_version.created_at)
    states |= dict.fromkeys(newer.values_list("item_id", flat=True), "ruled")
    disputes = Dispute.objects.filter(project=model_version.project_id, item_id__in=ids)
    since = disputes.filter(created_at__gt=model_version.created_at, ruling__isnull=False)
    states |= dict.fromkeys(since.values_list("item_id", flat=True), "ruled")
    states |= dict.fromkeys(disputes.open().values_list("item_id", flat=True), "open")
    return states


@dataclass(frozen=True)
class Judged:
    """A photo that trained a version, and what the version said of it out of fold. ``row``: in ``Diagnostics``."""

    item: Item
    truth: str
    predicted: str
    confidence: float
    truth_probability: float


def cell(
    model_version: ModelVersion, truth: int, predicted: int, *, start: int, count: int
) -> tuple[list[Judged], int]:
    """A part of the photos behind one cell of the confusion table (columns), surest first, and how many there are."""
    found = diagnostics(model_version)
    if found is None:
        return [], 0
    rows = [
        row
        for row, pair in enumerate(zip(found.truths, found.predicted, strict=True))
        if pair == (truth, predicted)
    ]
    rows.sort(key=lambda row: (-found.confidence[row], row))
    return judged(found, rows[start : start + count]), len(rows)


def judged(found: Diagnostics, rows: Sequence[int]) -> list[Judged]:
    keys = found.model_version.metrics["order"]
    items = Item.objects.select_related("image").in_bulk([found.item_ids[row] for row in rows])
    return [
        Judged(
            items[found.item_ids[row]],
            keys[found.truths[row]],
            keys[found.predicted[row]],
            found.confidence[row],
            found.truth_probability[row],
        )
        for row in rows
    ]


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


def class_names(model_version: ModelVersion) -> list[str]:
    """Names of the classes today, in the order of the probabilities."""
    definitions = current_guideline(model_version.project).definitions
    names = dict(definitions.values_list("label_class_id", "name"))
    return [names[pk] for pk in model_version.classes]


def class_keys(model_version: ModelVersion) -> list[str]:
    """Class keys in the order of the probabilities."""
    keys = dict(LabelClass.objects.filter(pk__in=model_version.classes).values_list("pk", "key"))
    return [keys[pk] for pk in model_version.classes]


def counted_by_backbone(project: Project) -> dict[str, dict[str, Any]]:
    """Backbone -> what the newest embedding with it counted, or why there was none, in the project's newest jobs."""
    told: dict[str, dict[str, Any]] = {}
    ended = jobs(project).filter(kind__in=("embed", "measure"), state=JobState.SUCCEEDED)
    for result in ended.values_list("result", flat=True)[:LOOKED_THROUGH]:
        for each in (result or {}).get("backbones") or []:
            told.setdefault(each["name"], each)
    return told


def jobs(project: Project) -> JobQuerySet:
    """The project's jobs, newest first."""
    return Job.objects.of_project(project.pk).select_related("requested_by").order_by("-created_at")
