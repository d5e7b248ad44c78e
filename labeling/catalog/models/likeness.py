"""Photos that are nearly the same."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from labeling.catalog.models.photo import Image, Item
from labeling.catalog.models.project import Project


class Likeness(models.Model):
    """Two photos of which the second may be the first, saved again: by their fingerprints at intake, then by embeddings.

    ``image`` is a photo of the project too, unless it was set aside for this.
    """

    #: Farther apart than this they are two pictures: the ratio of nearest photos, measured in
    #: ``docs/decisions/0021-near-duplicates.md``.
    SURE = 0.7

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="likenesses")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+", help_text="was there first")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="+", help_text="came later")
    bits = models.PositiveSmallIntegerField(help_text="in which the fingerprints differ")
    ratio = models.FloatField(
        null=True,
        help_text="how far apart their embeddings are, where 1 is how near others are; null: not compared yet",
    )
    set_aside = models.BooleanField(default=False, help_text="the second did not come in for this, at first")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "image", "item"], name="likeness_once"),
        ]
        indexes = [
            models.Index(
                fields=["project", "id"], condition=Q(ratio__isnull=True), name="likeness_to_compare"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} is {self.bits} bits from {self.item_id}"
