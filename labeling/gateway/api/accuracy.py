"""The shapes of a version's accuracy, wherever the API tells it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from labeling.gateway.api.shapes import Shape
from labeling.learning.accuracy import Accuracy


class AccuracyOut(Shape):
    value = serializers.FloatField()
    low = serializers.FloatField(help_text="of the 95 % interval")
    high = serializers.FloatField()
    n = serializers.IntegerField(help_text="photos")

    @classmethod
    def of_version(cls, known: Accuracy | None) -> dict[str, Any] | None:
        """``None`` before a promotion, and before people have settled a random photo since."""
        figure = known.figure if known else None
        return {**figure, "n": known.audited.whole} if known and figure else None


class AtTrainingOut(AccuracyOut):
    random = serializers.BooleanField(help_text="of photos drawn at random; else cross-validated")

    @classmethod
    def of_version(cls, known: Accuracy | None) -> dict[str, Any] | None:
        then = known.at_training if known else None
        return {**then.figure, "n": then.n, "random": then.random} if then else None
