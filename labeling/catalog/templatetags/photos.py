"""Photos in templates: their addresses, and links that open them large."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

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


@register.simple_tag
def opens(image: Image, name: str = "") -> SafeString:
    """The attributes of an ``a`` that opens the photo large, down to its own pixels (``static/js/photo-dialog.js``)."""
    return format_html(
        'href="{}" data-photo="{}" data-width="{}" data-height="{}" data-tiles="{}"',
        selectors.photo_url(image.sha256, "screen"),
        name or image.sha256[:12],
        image.width,
        image.height,
        tiles_url(image),
    )


@register.inclusion_tag("catalog/_photo_link.html")
def photo_link(
    image: Image, name: str = "", *, alt: str = "", css: str = "photo-thumb", title: str = "", side: int = 0
) -> dict[str, Any]:
    """A thumbnail that opens the photo large. ``alt`` is the name unless another text tells more; ``side``: CSS pixels."""
    return {
        "image": image,
        "thumb": selectors.photo_url(image.sha256, "thumb"),
        "name": name,
        "alt": alt or name or image.sha256[:12],
        "css": css,
        "title": title,
        "side": side,
    }
