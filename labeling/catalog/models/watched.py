"""Sources that are looked at again and again."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models.intake import IntakeFile, IntakeKind
from labeling.catalog.models.project import Project
from labeling.jobs.told import told


class WatchedSource(models.Model):
    """Where photos come from again and again: what is new or changed there comes in by itself, what is gone is told."""

    class Kind(models.TextChoices):
        FOLDER = IntakeKind.FOLDER, _("Folder on the server")
        BUCKET = IntakeKind.BUCKET, _("Bucket")

    #: Minutes between two looks.
    OFTEN, SELDOM = 5, 10_080

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="watched_sources")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    address = models.CharField(
        max_length=800, help_text="a folder, or the name of a bucket that is open and folders in it"
    )
    minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(OFTEN), MaxValueValidator(SELDOM)]
    )
    referenced = models.BooleanField(
        default=False, db_default=False, help_text="its photos stay in the bucket, and are not copied"
    )
    paused = models.BooleanField(default=False)
    removed_at = models.DateTimeField(null=True, help_text="watched no more; what came in by it stays")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    looked_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=400, blank=True, help_text="of the last look")
    there = models.PositiveIntegerField(default=0, help_text="files, as of the last look that succeeded")
    new = models.PositiveIntegerField(
        default=0, help_text="files that the last look found for the first time"
    )
    changed = models.PositiveIntegerField(default=0, help_text="with another content, or asked for again")
    gone = models.PositiveIntegerField(default=0, help_text="photos that are here and there no more")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "address"], name="watched_once_a_project")
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def said(self) -> str:
        """The error, in the reader's language."""
        return told(self.error)


class WatchedFile(models.Model):
    """A file of a watched source as it was when it was taken in last; ``file`` says what became of it."""

    source = models.ForeignKey(WatchedSource, on_delete=models.CASCADE, related_name="files", db_index=False)
    path = models.CharField(max_length=1000)
    version = models.CharField(max_length=100, blank=True, help_text="another one where its bytes may differ")
    file = models.ForeignKey(IntakeFile, null=True, on_delete=models.SET_NULL, related_name="watched")
    gone_at = models.DateTimeField(null=True, help_text="first look that did not find it any more")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "path"], name="watched_file_once")]

    def __str__(self) -> str:
        return self.path
