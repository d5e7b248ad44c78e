"""What was asked to be erased, by whom, until when it can be brought back, and how far it is."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Item, Project


class Scope(models.TextChoices):
    PHOTOS = "photos", _("Photos")
    GROUP = "group", _("A photo and its near-duplicates")
    SOURCE = "source", _("All photos of a source")
    FOUND = "found", _("All photos of a search")
    PROJECT = "project", _("All photos of the project")
    LIMIT = "limit", _("Time limit of the project")
    AGAIN = "again", _("Had been erased, and came back")


class Erasure(models.Model):
    """One request. Its photos are out of the project from the moment it is made, and gone for good some time after
    ``due_at``; until then it can be undone as a whole."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="erasures")
    scope = models.CharField(max_length=8, choices=Scope.choices)
    source = models.CharField(max_length=200, blank=True, help_text="whose photos; empty once they are gone")
    reason = models.CharField(max_length=300)
    query = models.CharField(
        max_length=4000, blank=True, db_default="", help_text="of a search, while its photos are looked for"
    )
    looks_from = models.BigIntegerField(
        null=True, help_text="id behind which a job looks for its other photos; null: all are known"
    )
    took = models.JSONField(
        default=dict, help_text="what went and what stayed, as it was when it was asked for"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="null: a time limit",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    gone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="erasures_of_project"),
            models.Index(
                fields=["due_at"],
                condition=Q(gone_at__isnull=True, undone_at__isnull=True),
                name="erasures_due",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True) | Q(gone_at__isnull=True), name="erased_or_undone"
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.created_at:%Y-%m-%d}"

    @property
    def can_be_undone(self) -> bool:
        return self.undone_at is None and self.gone_at is None and timezone.now() < self.due_at


class ErasedPhotoQuerySet(models.QuerySet["ErasedPhoto"]):
    def to_take_out(self) -> ErasedPhotoQuerySet:
        return self.filter(taken_at__isnull=True)

    def held(self) -> ErasedPhotoQuerySet:
        """Out of their project, and neither gone nor back."""
        return self.filter(taken_at__isnull=False, gone_at__isnull=True, back_at__isnull=True)


class ErasedPhoto(models.Model):
    """A photo of a request. ``images`` and ``kept`` are what brings it back, and are empty once it is gone.

    ``stays``: another project holds the same bytes, so these stay there. ``waits_for``: why it is not gone yet.
    """

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="photos")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+")
    images = ArrayField(models.BigIntegerField(), default=list)
    kept = models.JSONField(default=dict)
    stays = models.BooleanField(default=False)
    waits_for = models.CharField(max_length=300, blank=True)
    taken_at = models.DateTimeField(null=True)
    back_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)

    objects = ErasedPhotoQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=Q(back_at__isnull=True), name="erased_once"),
            models.CheckConstraint(
                condition=Q(gone_at__isnull=True) | Q(images=[], kept={}), name="gone_holds_nothing"
            ),
        ]
        indexes = [models.Index(fields=["erasure"], condition=~Q(waits_for=""), name="erased_waiting")]

    def __str__(self) -> str:
        return f"{self.item_id} of {self.erasure_id}"


class ErasedPerson(models.Model):
    """A person's identity, put aside in ``kept`` until it goes for good; their account is a number from the first moment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kept = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(undone_at__isnull=True), name="person_erased_once"
            ),
            models.CheckConstraint(
                condition=Q(gone_at__isnull=True) | Q(kept={}, undone_at__isnull=True),
                name="gone_person_is_nobody",
            ),
        ]

    def __str__(self) -> str:
        return f"person {self.person_id}"

    @property
    def can_be_undone(self) -> bool:
        return self.undone_at is None and self.gone_at is None and timezone.now() < self.due_at
