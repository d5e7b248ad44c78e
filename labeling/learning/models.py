"""Snapshots of ground truth, model versions trained on them, promotions, and the champion's scores."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

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


class ModelVersion(models.Model):
    """Backbone + head + calibration + the snapshot that trained it. Appended, never changed."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="model_versions")
    number = models.PositiveIntegerField()
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="model_versions")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    backbone = models.CharField(max_length=80)
    backbone_hash = models.CharField(max_length=64)
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

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="model_number_once")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"v{self.number}"


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
    """A model version's class probabilities for one photo. Kept for the champion only."""

    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="scores")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="scores")
    predicted = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    confidence = models.FloatField(help_text="distance from the boundary: top probability minus the second")
    probabilities = ArrayField(models.FloatField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model_version", "item"], name="score_once")]

    def __str__(self) -> str:
        return f"{self.predicted_id} {self.confidence:.2f}"
