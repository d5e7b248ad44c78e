"""Data sets: which ground truths went into one, and how they are split. A file of it is written when it is asked for."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.metadata import LONGEST_NAME
from labeling.catalog.models import APPEND_ONLY, Guideline, Project
from labeling.frontier.standing import StandsUnder


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
    values_upto = models.BigIntegerField(
        null=True, help_text="id of the last change of metadata that it reads"
    )
    seed = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(2**31 - 1)], help_text="another one splits otherwise"
    )
    promise = models.CharField(max_length=9, choices=PROMISES, blank=True)
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
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.project.slug}-{self.created_at:%Y%m%d-%H%M}-{self.format}"

    @property
    def training(self) -> int:
        """Percent of the photos."""
        return 100 - self.validation - self.test
