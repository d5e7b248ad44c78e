"""Answers of people, and what they took back.

*Undo* is a :class:`Retraction`. That nobody has two standing answers to one photo in one round is said by the
database: the first answer of a person has no ``replaces``; each later one must name the retraction it follows,
and a retraction can be followed once.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import APPEND_ONLY, Guideline, Item, LabelClass, Project
from labeling.database.append_only import append_only


class AnswerKind(models.TextChoices):
    CLASS = "class", _("Class")
    HOLD = "hold", _("Hold")
    UNUSABLE = "unusable", _("Unusable")


class HoldReason(models.TextChoices):
    BETWEEN = "between", _("Between two classes")
    CRITERIA = "criteria", _("The criteria do not cover it")
    HIDDEN = "hidden", _("The decisive part is not visible")
    OTHER = "other", _("Something else")


class UnusableReason(models.TextChoices):
    BLURRED = "blurred", _("Blurred")
    EXPOSURE = "exposure", _("Too dark or too bright")
    SUBJECT = "subject", _("Wrong subject or angle")
    DAMAGED = "damaged", _("Damaged file")
    OTHER = "other", _("Something else")


class Draw(models.TextChoices):
    """Why this photo was shown. Never told to a labeler."""

    RANK = "rank"
    AUDIT = "audit"
    GOLD = "gold"
    #: Not blind: in a grid that said what the model predicts, beside an earlier photo of the same asset (:data:`EARLIER`),
    #: or given elsewhere (:mod:`labeling.truth.imported`). Such an answer may train, and never certifies.
    SWEEP = "sweep"


#: In an answer's ``context``: id of the asset's earlier photo that its labeler had been shown beside. Of a gold question
#: too, whose draw stays: it checks nobody then.
EARLIER = "earlier"


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    def standing(self) -> AnnotationQuerySet:
        # As an anti-join: of an outer join without a partner the planner believes that it finds one row.
        return self.filter(~Exists(Retraction.objects.filter(annotation=OuterRef("pk"))))

    def for_agreement(self) -> AnnotationQuerySet:
        """Standing answers that count: a gold question checks the person, not the photo."""
        return self.standing().exclude(draw=Draw.GOLD)

    def blind(self) -> AnnotationQuerySet:
        """Of these, the ones given without sight of a prediction: agreement between people is theirs alone."""
        return self.for_agreement().exclude(draw=Draw.SWEEP)

    def one_at_a_time(self) -> AnnotationQuerySet:
        """Standing answers but for those of grids and imports."""
        return self.standing().filter(~Q(draw=Draw.SWEEP) | Q(context__has_key=EARLIER))


class Annotation(models.Model):
    """One person's one answer to one photo."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="annotations")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="annotations")
    round = models.PositiveSmallIntegerField(default=1)
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="annotations"
    )
    key = models.UUIDField(help_text="The browser's idempotency key for this answer.")
    kind = models.CharField(max_length=8, choices=AnswerKind.choices)
    label_class = models.ForeignKey(
        LabelClass, null=True, blank=True, on_delete=models.PROTECT, related_name="annotations"
    )
    reason = models.CharField(max_length=12, blank=True)
    comment = models.CharField(max_length=1000, blank=True)
    checklist = models.JSONField(default=list)
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="annotations")
    draw = models.CharField(max_length=5, choices=Draw.choices)
    context = models.JSONField(
        default=dict, help_text="band, position, score, model: known to the server only"
    )
    shown_at = models.DateTimeField(null=True, blank=True, help_text="by the labeler's clock")
    view_ms = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    replaces = models.OneToOneField(
        "Retraction", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by"
    )

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["labeler", "key"], name="answer_once_by_key"),
            models.UniqueConstraint(
                fields=["item", "round", "labeler"],
                condition=Q(replaces__isnull=True),
                name="nobody_answers_twice",
            ),
            models.CheckConstraint(
                condition=(Q(kind="class") & Q(label_class__isnull=False))
                | (~Q(kind="class") & Q(label_class__isnull=True) & ~Q(reason="")),
                name="answer_is_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["item", "round"], name="answers_of_item"),
            models.Index(fields=["project", "labeler", "-id"], name="answers_of_labeler"),
            models.Index(fields=["project", "labeler", "created_at"], name="answers_by_time"),
            models.Index(
                fields=["project", "reason", "item"], condition=~Q(reason=""), name="answers_by_reason"
            ),
        ]
        triggers = [append_only(texts=["comment"])]

    def __str__(self) -> str:
        return f"{self.labeler} on {self.item_id}: {self.label_class or self.kind}"


class Retraction(models.Model):
    """A labeler took an answer back."""

    annotation = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="retraction")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"undo of {self.annotation_id}"
