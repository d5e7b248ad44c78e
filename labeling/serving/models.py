"""Which challenger answers in the shadow, and how its answers compare with the champion's."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from labeling.catalog.models import Project
from labeling.learning.models import ModelVersion

#: Bins of how far two answers are apart.
BINS = 10


class Shadow(models.Model):
    """The version that answers beside the champion, unseen, whatever the prediction service is asked in this project."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="shadow")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.model_version} in the shadow"


class ShadowComparison(models.Model):
    """Of all photos that two versions were asked: counts, whatever their number. No photo and no single answer is kept."""

    champion = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    challenger = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="shadowed")
    photos = models.BigIntegerField(default=0)
    agreed = models.BigIntegerField(default=0, help_text="of them, those of which both say the same class")
    pairs = models.JSONField(
        default=dict, help_text="class id of the champion -> of the challenger -> photos"
    )
    apart = ArrayField(
        models.BigIntegerField(),
        default=list,
        help_text=f"photos by total variation distance of the probabilities, in {BINS} bins from 0 to 1",
    )
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["champion", "challenger"], name="compared_in_the_shadow_once")
        ]

    def __str__(self) -> str:
        return f"{self.agreed} of {self.photos}"
