"""Data sets: which ground truths went into one, and how they are split. Imports: what a file says, row by row."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.metadata.values import LONGEST_NAME, MOST
from labeling.catalog.models import APPEND_ONLY, Guideline, Project
from labeling.database.append_only import append_only
from labeling.exchange.feeds.models import Feed, Table
from labeling.exchange.vocabularies import Vocabulary, VocabularyText, VocabularyVersion
from labeling.frontier.standing import StandsUnder

__all__ = ["Feed", "Table", "Vocabulary", "VocabularyText", "VocabularyVersion"]


class Pictures(models.TextChoices):
    ORIGINAL = "original", _("As they came in")
    SCREEN = "screen", _("As people see them (WebP)")
    NONE = "none", _("None: only their names and hashes")


class Together(models.TextChoices):
    """What stays on one side of the split. Near-duplicates do in each case."""

    PHOTO = "photo", _("Near-duplicates")
    SOURCE = "source", _("Photos of one source")
    DAY = "day", _("Photos of one day")
    VALUE = "value", _("Photos with one value of their metadata")


#: What ground truths can stand under.
PROMISES = [choice for choice in StandsUnder.choices if choice[0] != StandsUnder.MACHINE]
LEAVE_SOME = _("Leave at least 10 percent of the photos to train on.")
#: In the order in which shares of the photos are dealt out.
SPLITS = ("train", "validation", "test")


class DataSet(models.Model):
    """A recipe that makes the same rows again: ground truths are appended, and it says up to which one it reads.

    What a search finds changes with each answer, so the photos that it found are kept beside the recipe.

    ``upto`` is an id of :class:`~labeling.truth.models.GroundTruth` of which everything below was committed; what it
    superseded by then is left out, and classes count as ``guideline`` says.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="data_sets")
    format = models.CharField(max_length=20)
    pictures = models.CharField(max_length=8, choices=Pictures.choices, default=Pictures.ORIGINAL)
    validation = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(90)], help_text="percent of the photos"
    )
    test = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(90)], help_text="percent of the photos"
    )
    together = models.CharField(max_length=6, choices=Together.choices, default=Together.PHOTO)
    value = models.CharField(
        max_length=LONGEST_NAME,
        blank=True,
        default="",
        db_default="",
        help_text=_("Name of the metadata of which each value stays on one side, as vehicle."),
    )
    metadata = ArrayField(
        models.CharField(max_length=LONGEST_NAME),
        size=MOST,
        blank=True,
        default=list,
        db_default=[],
        help_text="names of the metadata that become columns",
    )
    values_upto = models.BigIntegerField(
        null=True, help_text="id of the last change of metadata that it reads"
    )
    seed = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(2**31 - 1)], help_text="another one splits otherwise"
    )
    promise = models.CharField(max_length=9, choices=PROMISES, blank=True)
    search = models.TextField(
        blank=True, db_default="", help_text="of the explorer; what it found is kept as :class:`Chosen`"
    )
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="+")
    upto = models.BigIntegerField(help_text="id of the last ground truth that it reads")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(validation__lte=90 - F("test")),
                name="data_set_leaves_some_to_train",
                violation_error_message=LEAVE_SOME,
            ),
        ]
        indexes = [models.Index(fields=["project", "-created_at"], name="data_sets_of_project")]
        triggers = [append_only(texts=["search"])]

    def __str__(self) -> str:
        return f"{self.project.slug}-{self.created_at:%Y%m%d-%H%M}-{self.format}"

    @property
    def training(self) -> int:
        """Percent of the photos."""
        return 100 - self.validation - self.test


class Chosen(models.Model):
    """Photos that the search of a data set found, by rising id: so many to a row, and no content.

    Written by a job, in turn; the data set can be read when the ``last`` row is there.
    """

    data_set = models.ForeignKey(DataSet, on_delete=models.CASCADE, related_name="chosen", db_index=False)
    number = models.PositiveIntegerField()
    item_ids = ArrayField(models.BigIntegerField())
    reached = models.BigIntegerField(help_text="id of the last photo that was looked at")
    last = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["data_set", "number"], name="chosen_in_turn")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{len(self.item_ids)} of {self.data_set_id}"


class Use(models.TextChoices):
    """What an imported label is here. None of them certifies anything; a text is none of the project's answers at all."""

    ANSWER = "answer", _("Answers of a named source")
    TRAIN = "train", _("Ground truths that train")
    GOLD = "gold", _("Gold")
    HINT = "hint", _("Shown to reviewers only")
    TEXT = "text", _("Texts beside the photos")


class ImportState(models.TextChoices):
    READING = "reading", _("Being read")
    READY = "ready", _("Ready: look at what would happen")
    APPLYING = "applying", _("Coming in")
    APPLIED = "applied", _("Came in")
    UNDOING = "undoing", _("Being taken back")
    UNDONE = "undone", _("Taken back")


class Import(models.Model):
    """Labels that were made elsewhere, in one file. A job of kind ``import`` with its id does the work.

    ``found``: what the reader saw, as :func:`~labeling.exchange.imports.reading.read` writes it. ``columns``: role (photo,
    label, annotator) -> name of the column or field that says it. ``classes``: label as it is in the file -> class key,
    ``hold``, ``unusable``, or nothing (left out); a label that is not in it waits to be mapped.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=200)
    format = models.CharField(max_length=20, blank=True)
    source = models.CharField(max_length=60, help_text="by which its labels are known here")
    use = models.CharField(max_length=6, choices=Use.choices, default=Use.ANSWER)
    columns = models.JSONField(default=dict)
    classes = models.JSONField(default=dict)
    found = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.READING)
    counts = models.JSONField(default=dict, help_text="outcome -> rows, when its job last ended")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"], name="imports_of_project")]

    def __str__(self) -> str:
        return f"{self.file_name} into {self.project.slug}"


class Outcome(models.TextChoices):
    """What a row of an import would do, or did."""

    OPEN = "open", _("Not looked at yet")
    READY = "ready", _("Will come in")
    SAME = "same", _("Is here already")
    LEFT = "left", _("Left out")
    REFUSED = "refused", _("Cannot come in")
    DONE = "done", _("Came in")
    UNDONE = "undone", _("Taken back")
    KEPT = "kept", _("Stays: others have built on it")


class ImportRow(models.Model):
    """What one person said of one photo, as the file has it, and what becomes of it.

    ``place``: where it stands in the file, for people. ``labels``: several where the file allows several choices.
    ``fault``: a reason for which the file itself makes no sense here; ``reason`` and ``about``: why it cannot come in.
    ``made``: id of what was written, a row of the table that the import's ``use`` says.
    """

    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows")
    place = models.CharField(max_length=200)
    photo = models.CharField(max_length=400, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    labels = ArrayField(models.CharField(max_length=200), default=list)
    annotator = models.CharField(max_length=120, blank=True)
    fault = models.CharField(max_length=20, blank=True)
    item_id = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=7, choices=Outcome.choices, default=Outcome.OPEN)
    reason = models.CharField(max_length=20, blank=True)
    about = models.CharField(max_length=200, blank=True)
    made = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["of", "outcome", "id"], name="import_row_by_outcome"),
            models.Index(fields=["of", "item_id"], name="import_row_by_photo"),
        ]

    def __str__(self) -> str:
        return f"{self.place}: {self.photo} is {', '.join(self.labels)}"


class ClassAlias(models.Model):
    """What an admin said that a label from elsewhere means here: proposed again for the next import."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="class_aliases")
    label = models.CharField(max_length=200)
    means = models.CharField(
        max_length=80, blank=True, help_text="class key, hold, unusable, or nothing: left out"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "label"], name="alias_once_a_project")]

    def __str__(self) -> str:
        return f"{self.label} means {self.means}"
