"""Photos, and their places in projects."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from labeling.catalog.models.project import Project
from labeling.catalog.name_parts import NameParts
from labeling.catalog.renditions import current_version


class Image(models.Model):
    """A photo, by the SHA-256 of its bytes. The same bytes are one image, whichever projects hold it.

    One row, :attr:`NOTHING`, stands where there is no photo any more: it has no bytes, and its ``size`` is 0.
    """

    NOTHING = "0" * 64

    sha256 = models.CharField(max_length=64, unique=True, validators=[RegexValidator(r"^[0-9a-f]{64}$")])
    format = models.CharField(max_length=8)
    width = models.PositiveIntegerField(help_text="pixels, after EXIF orientation")
    height = models.PositiveIntegerField(help_text="pixels, after EXIF orientation")
    size = models.BigIntegerField(help_text="bytes")
    brightness = models.FloatField(null=True, help_text="mean luma, 0 to 255")
    sharpness = models.FloatField(null=True, help_text="variance of the Laplacian of the screen rendition")
    taken_at = models.DateTimeField(null=True, blank=True, help_text="from EXIF")
    rendered = models.PositiveSmallIntegerField(
        default=current_version, help_text="version of the renditions that were made of it"
    )
    fingerprint = models.BinaryField(
        null=True, max_length=32, help_text="what it looks like, in 256 bits; empty where that tells nothing"
    )
    fingerprint_parts = ArrayField(
        models.IntegerField(), default=list, help_text="the same, as the index looks it up"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["rendered", "id"], name="image_by_renditions"),
            GinIndex(fields=["fingerprint_parts"], name="image_by_fingerprint"),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class Item(models.Model):
    """An image in a project: the thing that is queued, answered and settled.

    One that was erased, or is about to be, is in no project: its image is nothing, and it has no name. What was said and
    decided of it stays, and names its project by itself.
    """

    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="items")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="items")
    source = models.CharField(max_length=200, blank=True, help_text="folder, upload or archive it came from")
    name = models.CharField(max_length=400, blank=True, help_text="file name at intake")
    random_key = models.FloatField(
        help_text="exponential beyond the walk's place at intake: the order in which the audit draws"
    )
    audit_drawn_at = models.DateTimeField(null=True, blank=True)
    answers_wanted = models.PositiveSmallIntegerField(
        null=True,
        help_text="blind answers, where it was drawn, or answered at the boundary, to get more; null: as others",
    )
    twins_of = models.BigIntegerField(
        null=True, help_text="id of the oldest of the project's photos that are nearly the same"
    )
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "image"], name="image_once_a_project")]
        indexes = [
            models.Index(
                fields=["project", "random_key"],
                condition=Q(audit_drawn_at__isnull=True),
                name="item_next_audit",
            ),
            models.Index(
                fields=["project", "random_key"],
                condition=Q(audit_drawn_at__isnull=False),
                name="item_audit_place",
            ),
            models.Index(fields=["project", "id"], name="item_of_project"),
            models.Index(
                fields=["project", "twins_of"],
                condition=Q(twins_of__isnull=False),
                name="item_of_twins",
            ),
            models.Index(fields=["project", "source", "id"], name="item_of_source"),
            GinIndex(NameParts(), name="item_by_name_parts"),
            models.Index(fields=["id"], condition=Q(project__isnull=True), name="item_erased"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.image_id)
