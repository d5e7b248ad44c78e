"""Templates that people of this site made or brought along. What they may say, the room that reads them checks."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class KeptTemplate(models.Model):
    """One of a kind. Nothing hangs on it: what was made from it stays as it is when it is removed."""

    key = models.SlugField(max_length=60, unique=True)
    content = models.JSONField(help_text="As in its file.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class KeptProjectTemplate(KeptTemplate):
    """Question, classes, criteria and strictness of a project to come."""
