"""Photos that rules alone could not settle, and how reviewers ended that."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import APPEND_ONLY, Guideline, Item, LabelClass, Project
from labeling.database.append_only import append_only


class DisputeCause(models.TextChoices):
    DISAGREEMENT = "disagreement", _("The answers differ")
    HOLD = "hold", _("Somebody held it")
    PAUSED = "paused", _("A labeler was paused")
    SUSPICIOUS = "suspicious", _("The model doubts the ground truth")
    REQUESTED = "requested", _("An admin asked for a review")


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def open(self) -> DisputeQuerySet:
        return self.filter(waits__isnull=False)

    def waiting(self) -> DisputeQuerySet:
        """Those that a reviewer is asked to rule on: held ones only once their photo is drawn at random."""
        return self.filter(waits__held=False)

    def held(self) -> DisputeQuerySet:
        """Open ones that no reviewer is asked for; whoever wants may rule on them all the same."""
        return self.filter(waits__held=True)


class Dispute(models.Model):
    """A photo that rules alone could not settle. Open until it has a ruling."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="disputes")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="disputes")
    round = models.PositiveSmallIntegerField()
    cause = models.CharField(max_length=12, choices=DisputeCause.choices)
    note = models.CharField(max_length=300, blank=True)
    held = models.BooleanField(
        default=False,
        db_default=False,
        help_text="blind answers at the boundary differ: the photo is kept out of training rather than ruled on",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["project", "created_at"], name="disputes_of_project")]
        triggers = [append_only(texts=["note"])]

    def __str__(self) -> str:
        return f"{self.cause} on {self.item_id}"


class OpenDispute(models.Model):
    """A dispute without a ruling, found at once among all that were ruled. The database's triggers write it.

    ``held``: it is held at the boundary, and its photo was not drawn at random, so no reviewer is asked for it. The rest
    follows from the dispute and the standing answers. ``classes`` that answers of its round name, as they named them, and
    how many ``answers``, gold left out; ``band``: the outermost in which the photo was shown for one. ``answered_by``: who
    answered it, in whatever round.
    """

    dispute = models.OneToOneField(Dispute, on_delete=models.CASCADE, primary_key=True, related_name="waits")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    held = models.BooleanField(default=False, db_default=False)
    since = models.DateTimeField(null=True, help_text="when the dispute began")
    item = models.ForeignKey(
        Item, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    cause = models.CharField(max_length=12, default="", db_default="")
    classes = ArrayField(models.BigIntegerField(), null=True)
    answers = models.IntegerField(null=True)
    band = models.IntegerField(null=True)
    answered_by = ArrayField(models.BigIntegerField(), null=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "held", "since", "dispute"], name="open_dispute_in_order"),
            models.Index(fields=["item"], name="open_dispute_of_photo"),
        ]

    def __str__(self) -> str:
        return f"{self.dispute_id} is open"


class Outcome(models.TextChoices):
    CLASS = "class", _("Class")
    HOLD = "hold", _("Ambiguous: keep out of training")
    UNUSABLE = "unusable", _("Unusable")
    SEND_BACK = "send_back", _("Ask again")
    WITHDRAWN = "withdrawn", _("No longer in dispute")


class RulingQuerySet(models.QuerySet["Ruling"]):
    def standing(self) -> RulingQuerySet:
        """But for those that their reviewer took back."""
        return self.filter(retraction__isnull=True)


class Ruling(models.Model):
    """How a dispute ended. ``reviewer`` is empty only when it dissolved: an undo withdrew its cause, or classes were
    merged and the answers agree."""

    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="ruling")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="rulings"
    )
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    label_class = models.ForeignKey(
        LabelClass, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=12, blank=True)
    comment = models.CharField(max_length=1000, blank=True)
    note = models.CharField(
        max_length=300,
        blank=True,
        help_text="for the labelers whose answer it overrules, who read it beside theirs",
    )
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RulingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(outcome="class") & Q(label_class__isnull=False))
                | (~Q(outcome="class") & Q(label_class__isnull=True)),
                name="ruling_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(reviewer__isnull=False) | Q(outcome="withdrawn"), name="ruling_has_a_reviewer"
            ),
        ]
        indexes = [models.Index(fields=["reviewer", "created_at"], name="rulings_by_time")]
        triggers = [append_only(texts=["comment", "note"])]

    def __str__(self) -> str:
        return f"{self.outcome} on {self.dispute_id}"


class RulingRetraction(models.Model):
    """A reviewer took a ruling back. Its photo is before reviewers again, in a dispute of its own."""

    ruling = models.OneToOneField(Ruling, on_delete=models.PROTECT, related_name="retraction")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"undo of ruling {self.ruling_id}"
