"""The materialised order of a project's open photos, the slots that people hold, and how far inward it is open."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from labeling.catalog.models import APPEND_ONLY, Item, LabelClass, Project
from labeling.learning.models import ModelVersion
from labeling.truth.models import Annotation, Draw

#: Photos that came after the ranking was made wait here, behind all ranked ones, until the next ranking.
ARRIVALS = 32_000


class Ranking(models.Model):
    """One ordering of the pool. A new one is built beside the current one, then takes its place at once."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rankings")
    number = models.PositiveIntegerField()
    strategy = models.CharField(max_length=30)
    seed = models.BigIntegerField(default=0)
    bands = models.PositiveSmallIntegerField(default=1)
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    current = models.BooleanField(default=False)
    #: ladder (class id) -> band -> [lowest, highest confidence, photos]: what the frontier picture draws
    summary = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="ranking_number_once"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(current=True), name="one_current_ranking"
            ),
        ]

    def __str__(self) -> str:
        return f"ranking {self.number}"


class Entry(models.Model):
    """One open photo in a ranking. Settled photos leave; what people did stays in the truth room.

    ``round`` and ``free`` say which answers are still wanted. ``taken`` counts the slots that people hold or
    have answered, ``first_holder`` is the first of them: with them, a claim is an index look-up.
    """

    ranking = models.ForeignKey(Ranking, on_delete=models.CASCADE, related_name="entries")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="entries")
    ladder = models.ForeignKey(LabelClass, null=True, on_delete=models.CASCADE, related_name="+")
    band = models.SmallIntegerField(help_text="0 is the outermost, nearest to the extremes")
    position = models.IntegerField(help_text="order within the band, ladders in turn")
    confidence = models.FloatField(null=True)
    draw = models.CharField(max_length=5, choices=Draw.choices, default=Draw.RANK)
    round = models.PositiveSmallIntegerField(default=1)
    taken = models.PositiveSmallIntegerField(default=0)
    free = models.PositiveSmallIntegerField()
    first_holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ranking", "item"], name="entry_once")]
        indexes = [
            models.Index(fields=["ranking", "band", "position"], condition=Q(taken=0), name="entry_fresh"),
            models.Index(
                fields=["ranking", "first_holder", "band", "position"],
                condition=Q(taken__gt=0, free__gt=0),
                name="entry_to_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} in band {self.band}"


class Slot(models.Model):
    """One wanted answer to one photo: first a lease to one person until a time, then their answer.

    ``number`` counts the wanted answers of a round from 0, and is empty where no wanted answer is used up: a
    gold question, or a photo that the holder skipped. The two unique constraints are the promises: an answer
    is on loan to one person only, and nobody gets the same photo twice in a round.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="slots")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="slots")
    round = models.PositiveSmallIntegerField(default=1)
    number = models.PositiveSmallIntegerField(null=True, blank=True)
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="slots")
    draw = models.CharField(max_length=5, choices=Draw.choices)
    context = models.JSONField(default=dict)
    leased_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    skipped_at = models.DateTimeField(null=True, blank=True)
    annotation = models.OneToOneField(
        Annotation, null=True, blank=True, on_delete=models.PROTECT, related_name="slot"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "round", "number"], name="slot_on_loan_to_one"),
            models.UniqueConstraint(fields=["item", "round", "holder"], name="nobody_gets_it_twice"),
            models.CheckConstraint(
                condition=Q(skipped_at__isnull=True) | Q(number__isnull=True, annotation__isnull=True),
                name="skipped_frees_the_slot",
            ),
            models.CheckConstraint(condition=Q(expires_at__gte=F("leased_at")), name="lease_runs_forward"),
        ]
        indexes = [
            models.Index(
                fields=["project", "expires_at"],
                condition=Q(annotation__isnull=True, skipped_at__isnull=True),
                name="slot_expiring",
            ),
            models.Index(
                fields=["project", "holder", "leased_at"],
                condition=Q(annotation__isnull=True, skipped_at__isnull=True),
                name="slot_on_loan",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} to {self.holder_id}"


class BandOpening(models.Model):
    """The queue moved inward to this band. Appended; the latest says which band is current."""

    class Cause(models.TextChoices):
        PACE = "pace"
        EXHAUSTED = "exhausted"
        ADMIN = "admin"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="band_openings")
    band = models.SmallIntegerField()
    cause = models.CharField(max_length=9, choices=Cause.choices)
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    figures = models.JSONField(default=dict, help_text="ground truths and agreement that opened it")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"band {self.band} opened"
