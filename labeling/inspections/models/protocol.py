"""A protocol: what must be photographed of a kind of asset, what is asked of it, and what follows; in versions."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from labeling.catalog.models import APPEND_ONLY, Project
from labeling.inspections.models.verdict import Outcome

KEY = RegexValidator(r"^[a-z0-9_-]+$")


class Protocol(models.Model):
    """Its lasting identity. What it says is in its versions, of which the newest is in force."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    asset_kind = models.CharField(max_length=40, default="car", validators=[KEY])
    shots_project = models.ForeignKey(
        Project,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="whose classes are the shots: it recognises which one a photo shows",
    )
    settle_within_hours = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(8760)],
        help_text="service level: from when the photographer was done until a held one is to be settled; null: none",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def current(self) -> ProtocolVersion:
        """The version in force."""
        return self.versions.order_by("-number")[0]


class ProtocolVersion(models.Model):
    """``rules``: as :mod:`labeling.inspections.rules` reads them; ``otherwise``: what follows when it is known that none
    holds. The names are what the protocol calls its verdicts."""

    protocol = models.ForeignKey(Protocol, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    passed_name = models.CharField(max_length=40)
    held_name = models.CharField(max_length=40)
    failed_name = models.CharField(max_length=40)
    otherwise = models.CharField(max_length=6, choices=Outcome.choices)
    rules = models.JSONField(default=list)
    note = models.CharField(max_length=300, blank=True, help_text="What changed, and why.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["protocol", "number"], name="protocol_number_once"),
            models.CheckConstraint(
                condition=~Q(otherwise=Outcome.PASSED), name="nothing_passes_without_a_rule"
            ),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"v{self.number}"

    def name_of(self, outcome: str) -> str:
        """What the protocol calls this outcome."""
        return str(getattr(self, f"{Outcome(outcome).value}_name"))

    @property
    def names(self) -> list[tuple[str, str]]:
        """(outcome, what the protocol calls it) of all three."""
        return [(outcome, self.name_of(outcome)) for outcome in Outcome.values]


class Shot(models.Model):
    """One picture that is taken of each asset, and the least that it must be to be of use."""

    version = models.ForeignKey(ProtocolVersion, on_delete=models.CASCADE, related_name="shots")
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=40, validators=[KEY])
    name = models.CharField(max_length=60)
    required = models.BooleanField(default=True)
    outline = models.CharField(max_length=40, blank=True, help_text="drawing to align with; empty: none")
    min_side = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(20_000)], help_text="pixels of the shorter side"
    )
    min_sharpness = models.FloatField(
        default=0,
        validators=[MinValueValidator(0.0), MaxValueValidator(100_000.0)],
        help_text="variance of the Laplacian, as Image.sharpness",
    )
    min_brightness = models.FloatField(
        default=0,
        validators=[MinValueValidator(0.0), MaxValueValidator(255.0)],
        help_text="mean luma, as Image.brightness",
    )
    max_brightness = models.FloatField(
        default=255, validators=[MinValueValidator(0.0), MaxValueValidator(255.0)], help_text="the same"
    )
    max_tilt = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(90.0)],
        help_text="degrees from level, either way; null: any",
    )
    advice = models.CharField(max_length=300, blank=True, help_text="for whoever takes it again")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="shot_key_once"),
            models.UniqueConstraint(fields=["version", "position"], name="shot_position_once"),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return self.name


class Check(models.Model):
    """This project's question is asked of this shot."""

    shot = models.ForeignKey(Shot, on_delete=models.CASCADE, related_name="checks", db_index=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="checks")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shot", "project"], name="check_once")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.shot_id}: {self.project_id}"
