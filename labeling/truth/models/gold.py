"""Photos whose answer is known, by which people are checked, and whom that stopped."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from labeling.catalog.models import APPEND_ONLY, Guideline, Item, LabelClass, Project


class Gold(models.Model):
    """A photo whose answer is known, asked blind to check people."""

    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="gold")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="golds")
    label_class = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"gold {self.item_id}"


class SweepCheck(models.Model):
    """A gold photo of another class stood in a sweep's grid: did the labeler mark it?

    It counts among the labeler's gold answers. No annotation, because a mark says what a photo is not. ``right`` is
    also false where the labeler marked it and named a wrong class.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="sweep_checks")
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sweep_checks"
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="sweep_checks")
    sweep = models.UUIDField(help_text="The grid, which the queue knows.")
    shown_as = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    known = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    found = models.BooleanField()
    right = models.BooleanField()
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # A grid that was taken back and handed in anew tells nothing new where it says the same.
            models.UniqueConstraint(fields=["sweep", "item", "right"], name="check_once_a_sweep"),
            models.CheckConstraint(condition=Q(found=True) | Q(right=False), name="missed_is_not_right"),
        ]
        indexes = [models.Index(fields=["project", "labeler", "-id"], name="checks_of_labeler")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.labeler} {'found' if self.found else 'missed'} {self.item_id}"


class Pause(models.Model):
    """A labeler stopped because of gold answers, until an admin lets them go on."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="pauses")
    labeler = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="pauses")
    correct = models.PositiveSmallIntegerField()
    asked = models.PositiveSmallIntegerField()
    bar = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "labeler"], condition=Q(lifted_at__isnull=True), name="paused_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.labeler} paused"
