"""The watch over what was decided, and what it holds up."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import APPEND_ONLY, Guideline, LabelClass, Project
from labeling.learning.models import ModelVersion


class WatchedPart(models.TextChoices):
    MACHINE = "machine", _("Decided by the machine")
    ASSISTED = "assisted", _("Settled by one answer that agrees")
    TOGETHER = "together", _("Both together")


class AuditWatch(models.Model):
    """The watch over what one version decided of one class under one guideline. Derived: made again from the audits.

    Of a delivered set the watches are over all classes, so without one: over the machine's part, and over both together.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="audit_watches")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    guideline = models.ForeignKey(Guideline, on_delete=models.CASCADE, related_name="+")
    label_class = models.ForeignKey(LabelClass, null=True, on_delete=models.CASCADE, related_name="+")
    part = models.CharField(max_length=8, choices=WatchedPart.choices, default=WatchedPart.MACHINE)
    precision = models.FloatField(help_text="stated of the newest decision; each is held against its own")
    n = models.PositiveIntegerField(default=0, help_text="audited, and settled")
    errors = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0, help_text="drawn, and open")
    low = models.FloatField(default=0.0, help_text="95 % confidence sequence of the precision")
    high = models.FloatField(default=1.0)
    state = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "guideline", "label_class", "part"],
                nulls_distinct=False,
                name="one_watch_a_class_and_part",
            )
        ]

    def __str__(self) -> str:
        return f"{self.errors} of {self.n}"

    @property
    def over(self) -> str:
        """The class's key, with the part where it is not what the machine decides."""
        key = self.label_class.key if self.label_class else ""
        return key if self.part == WatchedPart.MACHINE else f"{key} ({self.part})".strip()


class CloserAudit(models.Model):
    """Something happened that makes errors likely: from here on as much is audited as after a certificate."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="closer_audits")
    after = models.BigIntegerField(help_text="id of the newest decision at that moment")
    reason = models.CharField(max_length=40, help_text="the monitor that alerted")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"after {self.after}: {self.reason}"


class DecidingPause(models.Model):
    """The machine decides nothing more of a class until people have answered most of its audits that wait."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deciding_pauses")
    label_class = models.ForeignKey(LabelClass, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "label_class"],
                condition=Q(lifted_at__isnull=True),
                name="deciding_paused_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.label_class} paused"
