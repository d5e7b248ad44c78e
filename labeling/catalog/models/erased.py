"""What is not to come back."""

from __future__ import annotations

from django.db import models

from labeling.catalog.models.project import Project


class Erased(models.Model):
    """Bytes that are not to come back: into one project, or, once nobody held them any more, into any.

    Neither photo nor hash: ``digest`` is a SHA-256 over the hash (:mod:`labeling.catalog.erased`).
    """

    digest = models.CharField(max_length=64)
    project = models.ForeignKey(Project, null=True, on_delete=models.SET_NULL, related_name="+")
    everywhere = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["digest", "project"], nulls_distinct=False, name="erased_once_a_project"
            )
        ]

    def __str__(self) -> str:
        return self.digest[:12]
