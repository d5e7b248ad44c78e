"""What a project wishes proven, and what the machine may do with it."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import APPEND_ONLY, SHARE, Project


class Mode(models.TextChoices):
    OFF = "off", _("Off")
    SHADOW = "shadow", _("Shadow")
    ON = "on", _("On")


class PromiseKind(models.TextChoices):
    """What is certified (docs/decisions/0026-a-second-reader-and-a-second-promise.md).

    ``alone``: what the machine decides. ``assisted``: that, and what one blind answer settles that says the same as the
    machine, each for itself. ``delivered``: all labels together, the machine's, the assisted and the strict ones.
    """

    ALONE = "alone", _("The machine alone")
    ASSISTED = "assisted", _("The machine as second reader")
    DELIVERED = "delivered", _("The delivered set")


class FrontierPolicy(models.Model):
    """What a project wishes proven, and what the machine may do with it. The newest row is in force."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="frontier_policies")
    promise = models.CharField(max_length=9, choices=PromiseKind.choices, default=PromiseKind.ALONE)
    precision = models.FloatField(default=0.98, validators=[MinValueValidator(0.5), MaxValueValidator(0.999)])
    floor = models.FloatField(
        default=0.9,
        validators=[MinValueValidator(0.5), MaxValueValidator(0.999)],
        help_text="of a delivered set: precision that what the machine decides must have by itself",
    )
    delta = models.FloatField(default=0.05, validators=[MinValueValidator(0.001), MaxValueValidator(0.5)])
    undecided_are_errors = models.BooleanField(
        default=True, help_text="whether a photo that people hold or call unusable counts against the machine"
    )
    planned_labels = models.PositiveIntegerField(
        default=1000,
        validators=[MinValueValidator(20), MaxValueValidator(1_000_000)],
        help_text="random labels that a certification may come to; where the walk begins depends on it",
    )
    mode = models.CharField(max_length=6, choices=Mode.choices, default=Mode.OFF)
    audit_share = models.FloatField(
        default=0.01,
        validators=SHARE,
        help_text="of automatic decisions, drawn by lot for people, blind; more of the first ones",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(precision__gt=0, precision__lt=1, delta__gt=0, delta__lt=1),
                name="frontier_levels_sane",
            )
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.mode} at {self.precision}"
