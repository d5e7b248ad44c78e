"""Answers, agreement, disputes, rulings, ground truth, gold. Everything here is appended, never changed.

*Undo* is a :class:`Retraction`. That nobody has two standing answers to one photo in one round is said by the
database: the first answer of a person has no ``replaces``; each later one must name the retraction it follows,
and a retraction can be followed once.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
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


class Hint(models.Model):
    """What somebody elsewhere said of a photo, for reviewers to read beside the answers. It settles nothing.

    A ruling that was made beside one certifies nothing (:mod:`labeling.truth.first_word`). Taken back, it keeps its row.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="hints")
    kind = models.CharField(max_length=8, choices=AnswerKind.choices)
    label_class = models.ForeignKey(
        LabelClass, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    said_by = models.CharField(max_length=200, help_text="the source, and who it was there")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "said_by"], condition=Q(retired_at__isnull=True), name="one_hint_of_a_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.said_by} on {self.item_id}: {self.label_class or self.kind}"


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


class Tally(models.Model):
    """A part of a count, kept by the transaction that changes it; the count is their sum (:mod:`labeling.truth.tallies`).

    Appended, so that nobody waits for anybody, and folded into one row a count later. The database's triggers write it.
    """

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    what = models.CharField(max_length=10)
    at = models.DateTimeField(null=True, help_text="begin of the quarter of an hour")
    key = ArrayField(models.TextField())
    n = models.BigIntegerField()
    amount = models.BigIntegerField(default=0, db_default=0, help_text="milliseconds, of answers")
    folded = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "what", "at", "key"],
                condition=Q(folded=True),
                nulls_distinct=False,
                name="tally_folded_once",
            )
        ]
        indexes = [
            models.Index(fields=["project", "what", "at"], name="tally_of_project"),
            models.Index(fields=["id"], condition=Q(folded=False), name="tally_to_fold"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.key}: {self.n}"
