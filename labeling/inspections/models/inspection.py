"""An asset, one occasion on which it was photographed, and the photos by shot."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Image
from labeling.inspections.models.protocol import KEY, Protocol, ProtocolVersion, Shot
from labeling.inspections.models.verdict import Outcome, Verdict


class Origin(models.TextChoices):
    API = "api", _("API")
    FOLDER = "folder", _("Folder")
    CAPTURE = "capture", _("Capture page")


class Fault(models.TextChoices):
    """Why a photo is not taken for its shot. Beside these, why a file is no photo for us: a key of
    :data:`labeling.catalog.photos.ADVICE`."""

    SMALL = "small", _("Too small")
    BLURRED = "blurred", _("Blurred")
    DARK = "dark", _("Too dark")
    BRIGHT = "bright", _("Too bright")
    TILTED = "tilted", _("Tilted")
    WRONG_SHOT = "wrong_shot", _("Another shot")
    REPEATED = "repeated", _("The same photo as of another shot")


class Asset(models.Model):
    """What is inspected: a car by its plate, a string of solar panels, a parcel. One that was erased is only a number."""

    kind = models.CharField(max_length=40, validators=[KEY])
    identifier = models.CharField(max_length=60)
    type = models.CharField(max_length=60, blank=True)
    site = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "identifier"], name="asset_once")]

    def __str__(self) -> str:
        return self.identifier


class Inspection(models.Model):
    """``submitted_at``: null until the photographer is done. ``outcome``: of the current ``verdict``, written by the
    database; empty before there is one. ``look_wanted_at``: since when a part has changed that the verdict has not seen.
    ``held_for``: [shot, project, why] of what it waited for when it was last looked at; a held verdict is not appended anew
    for each answer."""

    protocol = models.ForeignKey(
        Protocol, on_delete=models.CASCADE, related_name="inspections", db_index=False
    )
    version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="inspections")
    external_id = models.CharField(max_length=100, help_text="the caller's: what is sent again is one")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="inspections", db_index=False)
    event = models.CharField(max_length=40, validators=[KEY])
    happened_at = models.DateTimeField()
    site = models.CharField(max_length=60, blank=True)
    photographer = models.CharField(max_length=100, blank=True)
    metadata = models.JSONField(default=dict)
    origin = models.CharField(max_length=7, choices=Origin.choices)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True)
    verdict = models.ForeignKey(Verdict, null=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=6, blank=True, choices=Outcome.choices)
    look_wanted_at = models.DateTimeField(null=True)
    held_for = models.JSONField(default=list, db_default=[])

    class Meta:
        ordering = ["-happened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["protocol", "external_id"], name="external_id_once_a_protocol")
        ]
        indexes = [
            models.Index(fields=["protocol", "-happened_at", "-id"], name="inspections_by_time"),
            models.Index(
                fields=["protocol", "outcome", "-happened_at", "-id"], name="inspections_by_outcome"
            ),
            models.Index(fields=["asset", "-happened_at"], name="inspections_of_asset"),
            models.Index(
                fields=["look_wanted_at", "id"],
                condition=Q(look_wanted_at__isnull=False),
                name="inspections_to_look_at",
            ),
            models.Index(
                fields=["protocol", "submitted_at"], condition=Q(outcome="held"), name="held_inspections"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="outcome_of_verdict",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("verdict_id", "outcome"),  # type: ignore[no-untyped-call]
                func="NEW.outcome := coalesce("
                "(SELECT v.outcome FROM inspections_verdict v WHERE v.id = NEW.verdict_id), ''); RETURN NEW;",
            )
        ]

    def __str__(self) -> str:
        return self.external_id


class InspectionPhotoQuerySet(models.QuerySet["InspectionPhoto"]):
    def current(self) -> InspectionPhotoQuerySet:
        """Of each shot the last one that is taken for it."""
        accepted = self.filter(faults=[], image__isnull=False)
        return accepted.order_by("inspection_id", "shot_id", "-number").distinct("inspection_id", "shot_id")

    def in_no_project(self) -> InspectionPhotoQuerySet:
        """Of shots that no project gets: nothing but their inspection says who may see them, and that they are kept. Not
        those of an asset that was erased."""
        kept = self.filter(image__isnull=False).exclude(sha256="")
        return kept.filter(shot__checks=None, inspection__protocol__shots_project=None)


class InspectionPhoto(models.Model):
    """One try at one shot. ``faults``: :class:`Fault`; empty: it is taken.

    ``image`` is null where it was refused at once, for then its bytes are not kept, or where it was erased; ``sha256`` says
    which bytes were sent, and is empty once they are erased. ``seen_as``: key of the shot that was recognised.
    """

    inspection = models.ForeignKey(
        Inspection, on_delete=models.CASCADE, related_name="photos", db_index=False
    )
    shot = models.ForeignKey(Shot, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(help_text="1, and one more each time it is taken again")
    image = models.ForeignKey(Image, null=True, on_delete=models.SET_NULL, related_name="+")
    sha256 = models.CharField(max_length=64, blank=True)
    tilt = models.FloatField(null=True, help_text="degrees from level, as the camera said")
    faults = ArrayField(models.CharField(max_length=30), default=list)
    seen_as = models.CharField(max_length=40, blank=True)
    seen_confidence = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InspectionPhotoQuerySet.as_manager()

    class Meta:
        ordering = ["inspection_id", "shot_id", "number"]
        indexes = [models.Index(fields=["sha256"], condition=~Q(sha256=""), name="inspection_photo_by_hash")]
        constraints = [
            models.UniqueConstraint(fields=["inspection", "shot", "number"], name="photo_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.inspection_id}: {self.shot_id}, {self.number}"
