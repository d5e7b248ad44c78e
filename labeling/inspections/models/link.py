"""An address at which somebody without an account photographs one asset."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from labeling.inspections.models.inspection import Asset, Inspection
from labeling.inspections.models.protocol import KEY, Protocol


class CaptureLink(models.Model):
    """Its address holds its id, signed, and nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    protocol = models.ForeignKey(Protocol, on_delete=models.CASCADE, related_name="links", db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="links")
    event = models.CharField(max_length=40, validators=[KEY])
    site = models.CharField(max_length=60, blank=True)
    photographer = models.CharField(max_length=100, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    inspection = models.OneToOneField(
        Inspection,
        null=True,
        on_delete=models.SET_NULL,
        related_name="link",
        help_text="null: not opened yet",
    )

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["protocol", "-created_at"], name="links_of_protocol")]

    def __str__(self) -> str:
        return str(self.id)
