"""Input fields and output shapes that several capabilities share."""

from __future__ import annotations

import math
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from labeling.catalog.models import Image
from labeling.catalog.projects import SLUG, SLUG_RULE
from labeling.catalog.selectors import photo_urls


class FiniteFloat(serializers.FloatField):
    """DRF reads the text "nan" as a number, and every comparison with it is false: bounds would not hold."""

    default_error_messages = {"finite": _("Send a finite number.")}

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("finite")
        return value


class ClassKey(serializers.RegexField):
    """The lasting name of a class: small letters, digits, - and _."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 60)
        super().__init__(r"^[a-z0-9_-]+\Z", **options)


class GuidelineRead(serializers.IntegerField):
    """Number of the version that an answer was given under; it may be left out."""

    def __init__(self, **options: Any) -> None:
        options.setdefault(
            "help_text",
            "Number of the version that you answered under; without it, the one in force when the photo was lent.",
        )
        super().__init__(
            min_value=1, max_value=2**31 - 1, required=False, allow_null=True, default=None, **options
        )


class NewAddress(serializers.RegexField):
    """The address of a project that is founded."""

    def __init__(self, **options: Any) -> None:
        super().__init__(rf"^{SLUG}\Z", max_length=60, error_messages={"invalid": SLUG_RULE}, **options)


class Sha256(serializers.RegexField):
    """A photo's identity: the SHA-256 of its bytes, in small hexadecimal digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^[0-9a-f]{64}\Z", **options)


class PhotoOut(serializers.Serializer[Any]):
    sha256 = serializers.CharField()
    screen = serializers.CharField(help_text="Address of the screen-sized rendition.")
    thumb = serializers.CharField(help_text="Address of the thumbnail.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()


def present_photo(image: Image) -> dict[str, Any]:
    urls = photo_urls(image)
    return {
        "sha256": image.sha256,
        "screen": urls["screen"],
        "thumb": urls["thumb"],
        "width": image.width,
        "height": image.height,
    }
