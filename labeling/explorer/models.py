"""Searches that a project's people keep under a name; where its photos lie in their backbone's space; photos to compare."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from labeling.catalog.models import Project
from labeling.jobs.models import Job


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


class Space(models.Model):
    """A project's photos in few dimensions of its own backbone's space, as a job projected them.

    Its rows are a table of its own, in the schema ``derived``, which holds what can be computed again and no backup takes:
    ``item_id``, ``vector`` (the projected embedding) and ``code`` (256 signs of it). They are made as a whole, and another
    space takes their place as a whole.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="spaces")
    backbone = models.CharField(max_length=120, help_text="in the registry")
    backbone_hash = models.CharField(max_length=64)
    projection = models.BinaryField(help_text="as inference.projection writes it")
    fitted_on = models.PositiveIntegerField(help_text="photos that there were to fit it to")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"space {self.pk} of {self.backbone}"

    @property
    def table(self) -> str:
        return f"derived.space_{int(self.pk)}"

    @property
    def in_halves(self) -> bool:
        """Whether the database can compare in half precision, as :func:`~labeling.explorer.spaces.current_space` found."""
        return bool(vars(self).get("has_halves"))


class AskedPhoto(models.Model):
    """A photo that somebody sent to find photos like it. Its bytes are not kept, and the row for :data:`DAYS`.

    Null ``vector``: it was not embedded yet, or could not be, and ``job`` says why.
    """

    #: So long an address that asks for photos like it can be opened.
    DAYS = 7

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="asked")
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=400)
    vector = ArrayField(models.FloatField(), null=True)
    code = models.CharField(max_length=256, blank=True, help_text="bits, as 0 and 1")
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "sha256"], name="asked_once_a_space")]

    def __str__(self) -> str:
        return self.name
