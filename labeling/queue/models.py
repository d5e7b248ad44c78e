"""The materialised order of a project's open photos, the slots that people hold, and how far inward it is open."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property

from labeling.catalog.models import APPEND_ONLY, Image, Item, LabelClass, Project
from labeling.learning.models import ModelVersion
from labeling.truth.models import Annotation, Draw


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
    judged_by = models.CharField(
        max_length=80,
        blank=True,
        default="",
        help_text="rule and guideline that begun answers were judged by",
    )
    photos = models.PositiveIntegerField(
        db_default=0, default=0, help_text="of the pool it was made of, those with embeddings"
    )
    last_item_id = models.BigIntegerField(null=True, help_text="of that pool, the photo that came last")
    last_before_missing = models.BigIntegerField(
        null=True, help_text="all photos up to this one had embeddings; empty where all had"
    )
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


class Placement(models.Model):
    """Where an order puts what its version predicts as one class: on which ladder, and where the ladder's bands begin.

    Written with the order (:mod:`labeling.queue.steps`); ``ridge`` counts all that was scored.
    """

    ranking = models.ForeignKey(Ranking, on_delete=models.CASCADE, related_name="placements")
    predicted = models.ForeignKey(LabelClass, on_delete=models.CASCADE, related_name="+")
    ladder = models.ForeignKey(LabelClass, on_delete=models.CASCADE, related_name="+")
    lows = ArrayField(models.FloatField(), help_text="lowest margin of each band, outermost first")
    edges = ArrayField(models.FloatField(), help_text="what parts the bands, rising")
    ridge = ArrayField(models.BigIntegerField(), help_text="photos a step, outermost first")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ranking", "predicted"], name="placed_once")]

    def __str__(self) -> str:
        return f"{self.predicted_id} on {self.ladder_id}"


class Entry(models.Model):
    """One open photo in a ranking. Settled photos leave; what people did stays in the truth room.

    ``round`` and ``free`` say which answers are still wanted. ``taken`` counts the slots that people hold or
    have answered, ``first_holder`` is the first of them: with them, a claim is an index look-up.

    One ranking's entries are one partition of the table, without foreign keys in the database: they are derived,
    and replaced as a whole (docs/decisions/0008-a-ranking-is-a-partition.md). So name the ranking in every query.
    """

    pk = models.CompositePrimaryKey("ranking", "item")
    ranking = models.ForeignKey(
        Ranking, on_delete=models.CASCADE, related_name="entries", db_constraint=False, db_index=False
    )
    item = models.ForeignKey(
        Item, on_delete=models.CASCADE, related_name="entries", db_constraint=False, db_index=False
    )
    ladder = models.ForeignKey(
        LabelClass,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    band = models.SmallIntegerField(help_text="0 is the outermost, nearest to the extremes")
    position = models.IntegerField(help_text="order within the band, ladders in turn")
    confidence = models.FloatField(null=True)
    draw = models.CharField(max_length=5, choices=Draw.choices, default=Draw.RANK)
    round = models.PositiveSmallIntegerField(default=1)
    taken = models.PositiveSmallIntegerField(default=0)
    free = models.PositiveSmallIntegerField()
    first_holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    late = models.BooleanField(default=False, help_text="came, or came back, after the ranking was made")

    class Meta:
        indexes = [
            models.Index(fields=["ranking", "band", "position"], condition=Q(taken=0), name="entry_fresh"),
            models.Index(
                fields=["ranking", "first_holder", "band", "position"],
                condition=Q(taken__gt=0, free__gt=0),
                name="entry_to_pair",
            ),
            # What the next ranking has to carry over.
            models.Index(
                fields=["ranking", "item"],
                condition=Q(late=True) | Q(taken__gt=0) | Q(round__gt=1) | ~Q(draw="rank"),
                name="entry_touched",
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
    """The queue moved to this band: inward, or back to one that no longer holds what it needs.

    Appended; the latest says which band is current. ``figures``: ``ground_truths``, ``settled``, ``agreement`` and ``alpha``
    of the opening that it ends, ``last_truth`` (id) from which the next one counts; of a band that is open again
    also ``missing`` (ground truths) and ``back_to`` (the band from which the queue was called back).
    """

    class Cause(models.TextChoices):
        PACE = "pace"
        EXHAUSTED = "exhausted"
        ADMIN = "admin"
        MODEL = "model"
        GUIDELINE = "guideline"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="band_openings")
    band = models.SmallIntegerField()
    cause = models.CharField(max_length=9, choices=Cause.choices)
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    figures = models.JSONField(default=dict, help_text="of the opening that it ends")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"band {self.band} opened"


class Sweep(models.Model):
    """One grid of photos that the model predicts as one class, or that somebody chose as one (``over``), on loan to one
    person until it is closed.

    Its open photos are slots with ``draw`` "sweep". One person has one open grid in a project: the database says so.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sweeps")
    labeler = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sweeps")
    label_class = models.ForeignKey(LabelClass, on_delete=models.CASCADE, related_name="+")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    band = models.SmallIntegerField()
    over = models.TextField(
        blank=True,
        db_default="",
        help_text="search that its photos were taken from, by whoever chose its class",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "labeler"], condition=Q(closed_at__isnull=True), name="one_open_sweep"
            )
        ]

    def __str__(self) -> str:
        return f"sweep of {self.label_class_id} by {self.labeler_id}"


class SweepPhoto(models.Model):
    """A photo that a grid showed, beside the class that the model predicts: from then on its labeler is not blind to it.

    ``known`` is set where it is a planted gold photo, and says its class. ``apart``: the labeler marked it and gave no
    answer, so people label it one at a time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="photos")
    place = models.PositiveSmallIntegerField()
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="swept")
    labeler = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    known = models.ForeignKey(LabelClass, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    apart = models.BooleanField(default=False)
    shown_at = models.DateTimeField()

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["sweep", "place"], name="one_photo_a_place"),
            models.UniqueConstraint(fields=["sweep", "item"], name="photo_once_a_sweep"),
        ]
        indexes = [models.Index(fields=["item", "labeler"], name="swept_item")]

    def __str__(self) -> str:
        return f"{self.item_id} at {self.place}"


class SweepHandIn(models.Model):
    """What a labeler said of a grid, and whether it counts. Appended; taking it back is a :class:`SweepReturn`.

    ``said``: item id -> ``{"kind": "kept" | "apart" | "class" | "hold" | "unusable" | "gone", "class", "reason"}``, planted
    photos included. "gone": the loan of that photo had run out, and others have it.
    """

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="hand_ins")
    labeler = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    key = models.UUIDField(help_text="The browser's idempotency key.")
    said = models.JSONField()
    counts = models.BooleanField(help_text="false: a planted photo was missed, so its answers are void")
    shown_at = models.DateTimeField(null=True, blank=True, help_text="by the labeler's clock")
    view_ms = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["labeler", "key"], name="hand_in_once_by_key")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.sweep_id} {'counts' if self.counts else 'is void'}"


class SweepReturn(models.Model):
    """A labeler took a hand-in back."""

    hand_in = models.OneToOneField(SweepHandIn, on_delete=models.CASCADE, related_name="returned")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"undo of {self.hand_in_id}"


class EarlierShown(models.Model):
    """An earlier photo of the same asset was shown to a person beside this one: in whatever project they answer this one
    from then on, they are not blind to it. Once for each photo and person, so that what they see stays the same.

    ``earlier``: null once it was erased.
    """

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="+", db_index=False)
    labeler = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    earlier = models.ForeignKey(Image, null=True, on_delete=models.SET_NULL, related_name="+")
    shown_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "labeler"], name="one_earlier_photo_beside_a_photo")
        ]

    def __str__(self) -> str:
        return f"{self.earlier_id} beside {self.image_id}"


class QuestionSheet(models.Model):
    """A named, ordered list of projects, whose questions are asked of one photo in one view.

    It holds no answers and no photos: what is on loan by it is a :class:`Slot` of its project, whose
    ``context`` names the sheet, and each answer is its project's own.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    @cached_property
    def projects(self) -> list[Project]:
        """In the sheet's order; those that are put away are left out."""
        questions = self.questions.select_related("project").filter(project__archived_at__isnull=True)
        return [question.project for question in questions]


class SheetQuestion(models.Model):
    """A project's place on a sheet, counted from 0."""

    sheet = models.ForeignKey(QuestionSheet, on_delete=models.CASCADE, related_name="questions")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "project"], name="asked_once_a_sheet"),
            models.UniqueConstraint(fields=["sheet", "position"], name="one_question_a_place"),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} at {self.position}"
