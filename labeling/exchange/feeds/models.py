"""Tables that a spreadsheet fetches by itself, as they are at that moment."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Project
from labeling.frontier.standing import StandsUnder


class Table(models.TextChoices):
    GROUND_TRUTHS = "ground-truths", _("Ground truths")
    ANNOTATIONS = "annotations", _("Answers")
    DECISIONS = "decisions", _("Automatic decisions")


class Feed(models.Model):
    """A kept export, behind an address of its own that holds its id, signed, and nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="feeds", db_index=False)
    name = models.CharField(max_length=80, help_text=_("Where it is read, and what for."))
    table = models.CharField(max_length=20, choices=Table.choices)
    columns = ArrayField(
        models.CharField(max_length=40), blank=True, default=list, help_text=_("Empty: all of them.")
    )
    promise = models.CharField(
        max_length=9, choices=StandsUnder.choices, blank=True, help_text=_("Only labels that stand under it.")
    )
    in_force = models.BooleanField(
        default=True, help_text=_("Of ground truths, only those that count now, none that were superseded.")
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True, help_text="null: never yet")

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="feeds_of_project")]

    def __str__(self) -> str:
        return self.name
