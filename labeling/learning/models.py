"""Snapshots of ground truth, model versions trained on them, promotions, and the champion's scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import APPEND_ONLY, Guideline, Item, LabelClass, Project
from labeling.jobs.models import Job


class Snapshot(models.Model):
    """The ground truths, by id, that one training used. ``digest``: over sorted (image hash, class key)."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="snapshots")
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="+")
    ground_truth_ids = ArrayField(models.BigIntegerField())
    digest = models.CharField(max_length=64)
    counts = models.JSONField(help_text="class key -> number of ground truths")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{len(self.ground_truth_ids)} ground truths"


#: Between the names of the backbones that a version fuses, in its own.
FUSED_BY = " & "
#: With it begin the names of classifiers that were brought in, as backbones.
BROUGHT_IN_FAMILY = "onnx:"
#: What the manifest of a version that is such a classifier says of its origin.
BROUGHT_IN = "brought_in"


@dataclass(frozen=True)
class Part:
    """One backbone of a model version, by its name in the registry; ``dim`` columns of the head's rows are its vectors."""

    backbone: str
    backbone_hash: str
    dim: int


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def on_backbone(self, content_hash: str) -> ModelVersionQuerySet:
        """Those that stand on a backbone's vectors, alone or beside others'."""
        part = [{"backbone_hash": content_hash}]
        return self.filter(Q(backbone_hash=content_hash) | Q(manifest__backbones__contains=part))


class ModelVersion(models.Model):
    """Backbones + head + calibration + the snapshot that trained it. Appended, never changed."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="model_versions")
    number = models.PositiveIntegerField()
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="model_versions")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    backbone = models.CharField(max_length=500, help_text="of several, their names")
    backbone_hash = models.CharField(max_length=64, help_text="of several, the SHA-256 over theirs")
    classes = ArrayField(
        models.BigIntegerField(), help_text="LabelClass ids in the order of the probabilities"
    )
    artifact = models.CharField(max_length=300, help_text="folder under MODELS_DIR")
    manifest = models.JSONField()
    metrics = models.JSONField()
    comparison = models.JSONField(null=True, help_text="against the champion of the time, on the same photos")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ModelVersionQuerySet.as_manager()

    class Origin(models.TextChoices):
        TRAINED = "trained", _("Trained here")
        REGISTERED = "registered", _("A head that was trained elsewhere")
        IMPORTED = "imported", _("A classifier that was trained elsewhere")

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="model_number_once")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"v{self.number}"

    @property
    def origin(self) -> Origin:
        if self.manifest.get("origin") == BROUGHT_IN:
            return self.Origin.IMPORTED
        return self.Origin.REGISTERED if "registered" in self.manifest else self.Origin.TRAINED

    @property
    def learned_elsewhere(self) -> bool:
        """It may have learned from photos that its snapshot does not name: it stands on a classifier that was brought in, or
        was registered and names photos without a ground truth, or such that nobody counted."""
        stands_on_one = any(part.backbone.startswith(BROUGHT_IN_FAMILY) for part in self.parts)
        return stands_on_one or ("registered" in self.manifest and self.manifest.get("unsettled") != 0)

    @property
    def parts(self) -> Sequence[Part]:
        """Its backbones, in the order of the columns. Versions that were made when there was one only name none."""
        told = self.manifest.get("backbones") or [
            {
                "backbone": self.backbone,
                "backbone_hash": self.backbone_hash,
                "dim": self.manifest.get("dim", 0),
            }
        ]
        return [Part(**each) for each in told]


class DomainBackbone(models.Model):
    """A backbone that was fitted to a project's own photos, without their labels. Appended, never changed.

    It is no more than a candidate: each training decides by held-out labels whether a version takes it.
    """

    class Method(models.TextChoices):
        STATISTICS = "statistics", _("Statistics of the pool")
        SELF_SUPERVISION = "selfsup", _("Self-supervised training")

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="domain_backbones")
    job = models.OneToOneField(Job, null=True, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=12, choices=Method.choices)
    name = models.CharField(max_length=80, unique=True, help_text="in the registry: domain:<folder>")
    content_hash = models.CharField(max_length=64)
    dim = models.PositiveIntegerField()
    base = models.CharField(max_length=120)
    base_hash = models.CharField(max_length=64)
    photos = models.PositiveIntegerField(help_text="of the pool that had a part in it")
    pool = models.PositiveIntegerField(help_text="the project's photos at the time")
    excluded = models.JSONField(help_text="photos kept out, by reason: audit, gold, settled")
    metrics = models.JSONField(help_text="what the fit found: modes, silhouettes, losses")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return self.name


class Diagnostics(models.Model):
    """What a version's page explains it by: how each photo that trained it was judged, and what was found in them.

    The lists run in parallel, a photo each, and are read whole: a version has thousands of photos, never millions.
    Every probability is out of fold: from a fit that the photo's own label had no part in.
    """

    model_version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="diagnostics")
    item_ids = ArrayField(models.BigIntegerField())
    truths = ArrayField(models.SmallIntegerField(), help_text="the ground truth's column")
    predicted = ArrayField(models.SmallIntegerField(), help_text="the most probable column")
    confidence = ArrayField(models.FloatField(), help_text="probability of the predicted class")
    truth_probability = ArrayField(models.FloatField(), help_text="probability of the ground truth's class")
    findings = models.JSONField(help_text="curve, forecast, slices, influential, suspicious")

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"diagnostics of {self.model_version_id}"


class Promotion(models.Model):
    """From here on this version is the champion. Rolling back is promoting an earlier version again."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="promotions")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.model_version} promoted"


class Score(models.Model):
    """A model version's class probabilities for one photo. Kept for the champion only.

    One version's scores are one partition of the table (``learning.compute.partition``), without foreign keys in
    the database: they are derived from the head and the embeddings, and can be made again.
    """

    pk = models.CompositePrimaryKey("model_version", "item")
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="scores", db_constraint=False, db_index=False
    )
    item = models.ForeignKey(
        Item, on_delete=models.CASCADE, related_name="scores", db_constraint=False, db_index=False
    )
    predicted = models.ForeignKey(
        LabelClass, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    confidence = models.FloatField(help_text="distance from the boundary: top probability minus the second")
    probabilities = ArrayField(models.FloatField())

    def __str__(self) -> str:
        return f"{self.predicted_id} {self.confidence:.2f}"


class Lookalikes(models.Model):
    """Settled photos that look most like one in dispute: what a worker found last, and can find again.

    ``nearest``: [[item, class], ...] by ids, as they were settled then, nearest first within a class.
    """

    item = models.OneToOneField(Item, on_delete=models.CASCADE, primary_key=True, related_name="+")
    nearest = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{len(self.nearest)} like {self.item_id}"


class LikenessSearch(models.Model):
    """How far the search for near-duplicates by embeddings has come: items beyond ``up_to`` were not compared yet."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="+")
    up_to = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"up to item {self.up_to}"
