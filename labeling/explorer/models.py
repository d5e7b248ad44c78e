"""Searches that a project's people keep under a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from labeling.catalog.models import Project


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
