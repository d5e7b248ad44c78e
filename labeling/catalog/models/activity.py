"""What happened in a project."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from labeling.catalog.models.project import Project
from labeling.database.append_only import append_only


class Activity(models.Model):
    """What happened in a project, for its admins: appended, shown newest first."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="activities")
    kind = models.CharField(max_length=40)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "-id"], name="activity_of_project")]
        triggers = [append_only(objects=["data"])]

    def __str__(self) -> str:
        return self.kind
