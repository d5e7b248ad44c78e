"""What an admin types to say from which values on the monitors alert. The rules are the services'."""

from __future__ import annotations

from typing import Any

from django.db import models

from labeling.catalog.forms.versions import VersionForm
from labeling.monitors.models import MonitorThresholds
from labeling.monitors.registry import THRESHOLDS
from labeling.monitors.spec import Threshold
from labeling.text.number_fields import NumberField, PercentField, RealField, WholeField


def _typed_as(threshold: Threshold) -> type[NumberField]:
    if threshold.percent:
        return PercentField
    field: Any = MonitorThresholds._meta.get_field(threshold.field)
    return WholeField if isinstance(field, models.IntegerField) else RealField


class ThresholdsForm(VersionForm):
    class Meta(VersionForm.Meta):
        model = MonitorThresholds
        fields = (*THRESHOLDS, "reason")
        field_classes = {name: _typed_as(threshold) for name, threshold in THRESHOLDS.items()}
        labels = VersionForm.Meta.labels | {name: each.label for name, each in THRESHOLDS.items()}
        help_texts = {name: each.hint for name, each in THRESHOLDS.items()}
