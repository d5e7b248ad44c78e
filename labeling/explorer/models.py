"""Searches that are kept; where photos lie in their backbone's space; photos and words to compare with; what was done with
all found."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Item, Project
from labeling.jobs.models import Job
from labeling.truth.models import Ruling

#: Outcome of a photo with which something was done.
DONE = "done"


class SavedView(models.Model):
    """What the page of photos was narrowed to, as its address says it; everybody who sees the page sees it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.TextField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="view_named_once")]

    def __str__(self) -> str:
        return self.name


class Space(models.Model):
    """A project's photos in few dimensions of its own backbone's space, as a job projected them.

    Its rows are a table of its own, in the schema ``derived``, which holds what can be computed again and no backup takes:
    ``item_id``, ``vector`` (the projected embedding) and ``code`` (256 signs of it). They are made as a whole, and another
    space takes their place as a whole.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="spaces")
    backbone = models.CharField(max_length=120, help_text="in the registry")
    backbone_hash = models.CharField(max_length=64)
    projection = models.BinaryField(help_text="as inference.projection writes it")
    fitted_on = models.PositiveIntegerField(help_text="photos that there were to fit it to")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"space {self.pk} of {self.backbone}"

    @property
    def table(self) -> str:
        return f"derived.space_{int(self.pk)}"

    @property
    def in_halves(self) -> bool:
        """Whether the database can compare in half precision, as :func:`~labeling.explorer.spaces.current_space` found."""
        return bool(vars(self).get("has_halves"))


class AskedPhoto(models.Model):
    """A photo that somebody sent to find photos like it. Its bytes are not kept, and the row for :data:`DAYS`.

    Null ``vector``: it was not embedded yet, or could not be, and ``job`` says why.
    """

    #: So long an address that asks for photos like it can be opened.
    DAYS = 7

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="asked")
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=400)
    vector = ArrayField(models.FloatField(), null=True)
    code = models.CharField(max_length=256, blank=True, help_text="bits, as 0 and 1")
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "sha256"], name="asked_once_a_space")]

    def __str__(self) -> str:
        return self.name


class AskedWords(models.Model):
    """Words by which somebody looks for photos, and the items that they fit best, the best first; kept for :data:`DAYS`.

    Null ``item_ids``: they were not compared yet, or could not be, and ``job`` says why.
    """

    DAYS = 7

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="asked_words")
    backbone = models.CharField(max_length=120, help_text="in the registry")
    words = models.CharField(max_length=200)
    item_ids = ArrayField(models.BigIntegerField(), null=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "words", "backbone"], name="words_once_a_backbone")
        ]

    def __str__(self) -> str:
        return self.words


class Deed(models.TextChoices):
    """What may be done with several photos at once."""

    FIRST = "first", _("Ask people about them first")
    SEND_BACK = "send_back", _("Ask people again")
    UNUSABLE = "unusable", _("Call them unusable")
    GOLD = "gold", _("Make them gold")


class Bulk(models.Model):
    """One deed with all photos that a search finds: first looked at, which changes nothing, then done, then taken back if
    need be. Each stage is a job that walks by photo id; stopped, it goes on behind ``reached``.

    ``query``: an address, as of a saved view. ``upto``: id of the last photo that had come when it was asked for.
    ``foreseen``, ``done``, ``undone``: of each stage outcome -> ``{"n": photos, "such_as": ids of a few}``.
    """

    class Stage(models.TextChoices):
        LOOKING = "looking", _("Looking what it would do")
        LOOKED = "looked", _("Waits for your word")
        DOING = "doing", _("Being done")
        DONE = "done", _("Done")
        UNDOING = "undoing", _("Being taken back")
        UNDONE = "undone", _("Taken back")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="bulks")
    deed = models.CharField(max_length=10, choices=Deed.choices)
    query = models.TextField()
    comment = models.CharField(max_length=1000, blank=True)
    class_key = models.CharField(max_length=64, blank=True)
    stage = models.CharField(max_length=8, choices=Stage.choices, default=Stage.LOOKING)
    reached = models.BigIntegerField(default=0)
    upto = models.BigIntegerField()
    foreseen = models.JSONField(default=dict)
    done = models.JSONField(default=dict)
    undone = models.JSONField(default=dict)
    job = models.ForeignKey(
        Job, null=True, on_delete=models.SET_NULL, related_name="+", help_text="of the stage that it is at"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"], name="bulks_of_project")]

    def __str__(self) -> str:
        return f"{self.deed} {self.query}"

    @property
    def under_way(self) -> bool:
        return self.stage in {self.Stage.LOOKING, self.Stage.DOING, self.Stage.UNDOING}

    @property
    def stopped(self) -> bool:
        """Somebody stopped it in the midst, or it failed: it can go on."""
        return self.under_way and (self.job is None or not self.job.is_live)

    @property
    def counted(self) -> dict[str, Any]:
        """Of the stage that it is at."""
        match self.stage:
            case self.Stage.LOOKING | self.Stage.LOOKED:
                counted = self.foreseen
            case self.Stage.DOING | self.Stage.DONE:
                counted = self.done
            case _:
                counted = self.undone
        return dict(counted)

    @staticmethod
    def photos_done(counted: dict[str, Any]) -> int:
        return int(counted.get(DONE, {}).get("n", 0))


class BulkPhoto(models.Model):
    """What became of a photo: ``outcome`` is "done", or the code of what refused it. Written with the deed or not at all."""

    bulk = models.ForeignKey(Bulk, on_delete=models.CASCADE, related_name="photos", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=40)
    message = models.TextField(blank=True, help_text="as the service said it that refused the photo")
    ruling = models.ForeignKey(Ruling, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bulk", "item"], name="photo_once_a_bulk")]
        indexes = [
            models.Index(fields=["bulk", "item"], condition=~Q(outcome="done"), name="bulk_photos_left")
        ]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.outcome}"
