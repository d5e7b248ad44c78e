"""What was said elsewhere."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from labeling.catalog.models import Item, LabelClass, Project
from labeling.truth.models.answer import AnswerKind


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
