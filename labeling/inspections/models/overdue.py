"""That a held inspection was still held when its protocol's service level ran out."""

from __future__ import annotations

from django.db import models

from labeling.database.append_only import APPEND_ONLY
from labeling.inspections.models.inspection import Inspection


class OverdueInspection(models.Model):
    """Written down once an inspection, within an hour of ``due_at``, so that it can be told: what is overdue now is looked
    up (:mod:`labeling.inspections.process.service_level`). ``due_at``: by the service level of that time."""

    inspection = models.OneToOneField(Inspection, on_delete=models.CASCADE, related_name="overdue")
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.inspection_id}, due {self.due_at:%Y-%m-%d %H:%M}"
