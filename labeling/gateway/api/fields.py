"""Input fields and output shapes that several capabilities share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.guidelines import LONGEST_CHECK, MAX_CHECKS
from labeling.catalog.models import Image, LabelClass, Project
from labeling.catalog.projects import SLUG, SLUG_RULE
from labeling.catalog.renditions import TILE
from labeling.catalog.selectors import photo_urls, tiles_url
from labeling.gateway.api.shapes import Shape, like
from labeling.refusals import Refused

_LONGEST_KEY = like(LabelClass, "key").max_length
_LONGEST_ADDRESS = like(Project, "slug").max_length


class ClassKey(serializers.RegexField):
    """The lasting name of a class: small letters, digits, - and _."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^[a-z0-9_-]+\Z", **({"max_length": _LONGEST_KEY} | options))


class AnsweredClass(serializers.CharField):
    """The key of a class, or nothing. Whether the project has such a class, the service says."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_LONGEST_KEY, required=False, allow_blank=True, default="", **options)


class Checklist(serializers.ListField):
    """Short criteria."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.CharField(max_length=LONGEST_CHECK), max_length=MAX_CHECKS, **options
        )


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
    """The address of a project that is created."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            rf"^{SLUG}\Z", max_length=_LONGEST_ADDRESS, error_messages={"invalid": SLUG_RULE}, **options
        )


class Sha256(serializers.RegexField):
    """A photo's identity: the SHA-256 of its bytes, in small hexadecimal digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^[0-9a-f]{64}\Z", **options)


class PhotoOut(Shape):
    sha256 = serializers.CharField()
    screen = serializers.CharField(help_text="Address of the screen-sized rendition.")
    thumb = serializers.CharField(help_text="Address of the thumbnail.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    tiles = serializers.CharField(
        allow_null=True,
        help_text=f"Address of the photo's own pixels in squares of {TILE}: put a column and a row, from 0, in the place of "
        "{x} and {y}. null: the screen-sized rendition holds every pixel.",
    )


def present_photo(image: Image) -> dict[str, Any]:
    return PhotoOut.of(image, **photo_urls(image), tiles=tiles_url(image))


class ShareOut(Shape):
    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(help_text="95 % interval")
    high = serializers.FloatField()


def yes_or_no(request: Request, name: str) -> bool:
    """A query parameter that is true, false or absent (false); anything else is refused."""
    text = request.query_params.get(name, "false").lower()
    if text not in {"1", "true", "0", "false"}:
        message = _("Send true or false.")
        raise Refused.invalid(name, message, short=[message])
    return text in {"1", "true"}


def moment(request: Request, name: str) -> datetime | None:
    """A query parameter that is a point in time, if it was sent; one without a zone is of the server's."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        time = parse_datetime(text)
    except ValueError:
        time = None
    if time is None or not 1 < time.year < 9999:
        message = _("Send a time, as 2026-05-01T09:30:00Z.")
        raise Refused.invalid(name, message, short=[message])
    return time if timezone.is_aware(time) else timezone.make_aware(time)
