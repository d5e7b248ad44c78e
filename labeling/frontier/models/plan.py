"""What is settled before the first look at a sample: of what it speaks, and what was drawn for it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from labeling.catalog.models import APPEND_ONLY, Guideline, Item, LabelClass, Project
from labeling.frontier.models.policy import PromiseKind
from labeling.learning.models import ModelVersion


class CertificationPlan(models.Model):
    """What is settled before the first look at a sample: thresholds, planned labels, and the δ that this use may spend.

    The walk is anytime-valid only while these stay as they are, so they are written once a use and read ever after.
    ``sample`` names the labels (those drawn after a training), ``use`` what they serve: version, guideline, precision.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="certification_plans")
    sample = models.CharField(max_length=60)
    use = models.CharField(max_length=160)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="+")
    promise = models.CharField(max_length=9, choices=PromiseKind.choices, default=PromiseKind.ALONE)
    precision = models.FloatField()
    floor = models.FloatField(
        null=True, help_text="of a delivered set: of what the machine decides by itself"
    )
    delta = models.FloatField(help_text="what this use spends")
    budget = models.FloatField(help_text="what all uses of the sample may spend together")
    undecided_are_errors = models.BooleanField()
    ladders = models.JSONField(
        help_text="class id -> {thresholds, share, hoped, photos, targets}, outermost first"
    )
    planned = models.JSONField(help_text="class id -> labels that are going to be spent")
    path = models.JSONField(
        null=True,
        help_text="of a delivered set: the ways to deliver it, as inference.certify.path names them",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "sample", "use"], name="a_use_is_charged_once")
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.use} on {self.sample}"


class PlanCohort(models.Model):
    """The photos that a plan speaks of: those that the machine could decide when it was written, whatever they show."""

    plan = models.OneToOneField(CertificationPlan, on_delete=models.CASCADE, related_name="cohort")
    item_ids = ArrayField(models.BigIntegerField(), help_text="rising")
    pool_to = models.BigIntegerField(
        help_text="newest photo of the project then; what came later are arrivals"
    )

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"cohort of {self.plan_id}"


class ArrivalCheck(models.Model):
    """Photos that came after a plan was written, held against the pool that it was written for, before any is decided.

    One that is told apart (``usual`` false) is left to people: no certificate of the plan speaks of such photos.
    """

    plan = models.ForeignKey(CertificationPlan, on_delete=models.CASCADE, related_name="arrival_checks")
    first = models.BigIntegerField(help_text="ids of the oldest and the newest of them")
    last = models.BigIntegerField()
    photos = models.PositiveIntegerField()
    usual = models.BooleanField()
    figures = models.JSONField(help_text="p-value, level, and which test told most")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.photos} arrivals, {'usual' if self.usual else 'unusual'}"


class BandDraw(models.Model):
    """Photos of a plan's cohort that were asked for at random, evenly from one region: labels that its next threshold lacks.

    The region may be chosen after all labels so far, and is written before the draw.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="band_draws")
    plan = models.ForeignKey(CertificationPlan, on_delete=models.PROTECT, related_name="band_draws")
    label_class = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    threshold = models.FloatField(help_text="lowest margin of the region")
    photos = models.PositiveIntegerField(default=0, help_text="that could be drawn")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.label_class} from {self.threshold:.3f}"


class DrawnPhoto(models.Model):
    """A photo that a :class:`BandDraw` took."""

    draw = models.ForeignKey(BandDraw, on_delete=models.PROTECT, related_name="drawn")
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="drawn_for_band")
    place = models.PositiveIntegerField(help_text="in the order of the draw")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draw", "place"], name="one_drawn_photo_a_place")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.item_id} by {self.draw_id}"
