"""Photos that came in together, and what became of each file."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from labeling.catalog.models.photo import Image
from labeling.catalog.models.project import Project


class IntakeKind(models.TextChoices):
    UPLOAD = "upload"
    ZIP = "zip"
    FOLDER = "folder"
    URLS = "urls"
    BUCKET = "bucket"


class IntakeBatch(models.Model):
    """Photos that came in together. The work is done by the job of kind ``intake`` with this id in its args."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="intake_batches")
    kind = models.CharField(max_length=8, choices=IntakeKind.choices)
    source = models.CharField(max_length=400)
    encoding = models.CharField(
        max_length=12,
        blank=True,
        default="",
        help_text="of names that came as bytes; empty: to be found, or none did",
    )
    encoding_guessed = models.BooleanField(default=False, help_text="another encoding would fit as well")
    watched = models.ForeignKey(
        "catalog.WatchedSource", null=True, blank=True, on_delete=models.SET_NULL, related_name="batches"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class IntakeOutcome(models.TextChoices):
    PENDING = "pending"
    ADDED = "added"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class IntakeFile(models.Model):
    """One file of a batch, and what became of it. A resumed job goes on with the pending ones."""

    batch = models.ForeignKey(IntakeBatch, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=400)
    name_bytes = models.BinaryField(
        null=True, help_text="the name as it came, where nothing said how it is meant"
    )
    path = models.CharField(max_length=1000, help_text="where the bytes wait, relative to the batch's source")
    outcome = models.CharField(max_length=9, choices=IntakeOutcome.choices, default=IntakeOutcome.PENDING)
    reason = models.CharField(max_length=30, blank=True, help_text="code, when refused")
    detail = models.CharField(max_length=400, blank=True, help_text="what to do, when refused")
    image = models.ForeignKey(Image, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sha256 = models.CharField(
        max_length=64, blank=True, default="", help_text="of an upload, and of what was refused for its bytes"
    )
    metadata = models.JSONField(null=True, help_text="what came with it, until the photo has it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "path"], name="intake_file_once")]
        indexes = [
            models.Index(fields=["batch", "id"], condition=Q(outcome="pending"), name="intake_pending"),
            models.Index(fields=["batch", "outcome", "id"], name="intake_outcome"),
            models.Index(fields=["sha256"], condition=~Q(sha256=""), name="intake_file_by_hash"),
        ]

    def __str__(self) -> str:
        return self.name
