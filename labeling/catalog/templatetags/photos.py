"""Addresses of photos in templates."""

from __future__ import annotations

from django import template

from labeling.catalog import selectors
from labeling.catalog.models import Image

register = template.Library()


@register.simple_tag
def photo_url(sha256: str, variant: str) -> str:
    return selectors.photo_url(sha256, variant)


@register.simple_tag
def tiles_url(image: Image) -> str:
    """Empty where the screen picture holds every pixel."""
    return selectors.tiles_url(image) or ""
