"""What the rules or a reviewer made of the answers."""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import APPEND_ONLY, Guideline, Item, LabelClass, Project
from labeling.truth.models.answer import Draw
from labeling.truth.models.dispute import Ruling


class Origin(models.TextChoices):
    AGREEMENT = "agreement", _("Blind agreement")
    RULING = "ruling", _("Reviewer's ruling")
    GOLD = "gold", _("Known beforehand")
    ASSISTED = "assisted", _("One answer that agrees with the machine")
    IMPORTED = "imported", _("Imported")
    WITHDRAWAL = "withdrawal", _("Withdrawn")
    UNDONE = "undone", _("Taken back by who gave it")


class TruthKind(models.TextChoices):
    CLASS = "class"
    HOLD = "hold"
    UNUSABLE = "unusable"
    WITHDRAWN = "withdrawn"


class GroundTruthQuerySet(models.QuerySet["GroundTruth"]):
    def current(self) -> GroundTruthQuerySet:
        """The last word on each photo, withdrawn ones left out."""
        newer = GroundTruth.objects.filter(supersedes=OuterRef("pk"))
        return self.filter(~Exists(newer)).exclude(kind=TruthKind.WITHDRAWN)

    def strict(self) -> GroundTruthQuerySet:
        """Current ones, but for those that one answer settled (held against the machine, these could not but agree) and
        imported ones, of which nobody knows by which rules they came about."""
        return self.current().exclude(origin__in=[Origin.ASSISTED, Origin.IMPORTED])

    def assisted(self) -> GroundTruthQuerySet:
        """Current ones that one answer settled."""
        return self.current().filter(origin=Origin.ASSISTED)

    def trainable(self) -> GroundTruthQuerySet:
        """Current classes that train. Gold stays a yardstick, and never does; assisted ones where their project says so."""
        return (
            self.current()
            .filter(kind=TruthKind.CLASS)
            .exclude(origin=Origin.GOLD)
            .exclude(origin=Origin.ASSISTED, project__train_on_assisted=False)
        )


class GroundTruth(models.Model):
    """What the rules or a reviewer made of the answers. The row that no other supersedes is in force."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="ground_truths")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="ground_truths")
    kind = models.CharField(max_length=9, choices=TruthKind.choices)
    label_class = models.ForeignKey(
        LabelClass, null=True, blank=True, on_delete=models.PROTECT, related_name="ground_truths"
    )
    origin = models.CharField(max_length=10, choices=Origin.choices)
    draw = models.CharField(max_length=5, choices=Draw.choices, default=Draw.RANK)
    ruling = models.OneToOneField(
        Ruling, null=True, blank=True, on_delete=models.PROTECT, related_name="ground_truth"
    )
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="+")
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GroundTruthQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(supersedes__isnull=True), name="one_chain_of_truth_an_item"
            ),
            models.CheckConstraint(
                condition=(Q(kind="class") & Q(label_class__isnull=False))
                | (~Q(kind="class") & Q(label_class__isnull=True)),
                name="truth_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(origin="assisted") | Q(kind="class"), name="assisted_truth_is_of_a_class"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "id"], name="truths_of_project"),
            models.Index(fields=["project", "created_at"], name="truths_by_time"),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.label_class or self.kind}"
