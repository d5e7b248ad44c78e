"""What is known of a photo beside its picture, and who said it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F

from labeling.catalog.metadata_parts import MetadataParts
from labeling.catalog.models.photo import Item
from labeling.catalog.models.project import Project
from labeling.catalog.name_parts import BLOCK_BITS
from labeling.database.append_only import append_only


class Metadata(models.Model):
    """What is known of a photo beside its picture, as of now: name -> text or number."""

    item = models.OneToOneField(Item, primary_key=True, on_delete=models.CASCADE, related_name="metadata")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    data = models.JSONField()

    class Meta:
        indexes = [GinIndex(MetadataParts(), name="metadata_by_parts")]

    def __str__(self) -> str:
        return ", ".join(self.data)


class MetadataNumber(models.Model):
    """A number or day of a photo's metadata, kept by a trigger to be found from–to (``metadata_numbers.py``)."""

    pk = models.CompositePrimaryKey("item_id", "name")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=60)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.FloatField()

    class Meta:
        indexes = [
            models.Index(
                F("project"),
                F("name"),
                F("item").bitrightshift(BLOCK_BITS),
                F("number"),
                name="metadata_by_number",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number:g}"


class MetadataChange(models.Model):
    """What somebody, or a delivery, said of a photo: name -> text or number, or null for what was taken away."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="metadata_changes")
    data = models.JSONField()
    origin = models.CharField(max_length=400, blank=True, help_text="the delivery that it came with")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [append_only(texts=["origin"], objects=["data"])]

    def __str__(self) -> str:
        return ", ".join(self.data)
