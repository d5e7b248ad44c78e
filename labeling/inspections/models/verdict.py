"""What follows from an inspection, by the rules or by somebody who overruled them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from labeling.database.append_only import append_only


class Outcome(models.TextChoices):
    PASSED = "passed", pgettext_lazy("verdict", "Passed")
    HELD = "held", pgettext_lazy("verdict", "Held")
    FAILED = "failed", pgettext_lazy("verdict", "Failed")


class Verdict(models.Model):
    """``by``: null, where the rules say it. ``told``: {rule, parts, unknown, missing}, on what it rests.

    ``bound``: of the whole's precision, where machines decided parts of it.
    """

    inspection = models.ForeignKey(
        "inspections.Inspection", on_delete=models.CASCADE, related_name="verdicts", db_index=False
    )
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=6, choices=Outcome.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, help_text="of an overruling")
    version = models.ForeignKey("inspections.ProtocolVersion", on_delete=models.PROTECT, related_name="+")
    told = models.JSONField(default=dict)
    bound = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["inspection", "number"], name="verdict_number_once"),
            models.CheckConstraint(
                condition=Q(bound__isnull=True) | Q(bound__gte=0, bound__lte=1),
                name="verdict_bound_is_a_share",
            ),
        ]
        triggers = [append_only(texts=["reason"])]

    def __str__(self) -> str:
        return f"{self.outcome} ({self.number})"
