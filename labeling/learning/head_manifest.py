"""What a head from outside says of itself: read strictly, as it was written by anybody."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.refusals import Refused

_HEX64 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Told:
    """What a manifest must say, read. ``trained_on``: SHA-256 of each photo of the project that the head learned from."""

    backbone_hash: str
    dim: int
    classes: tuple[str, ...]
    weights_sha256: str
    trained_on: tuple[str, ...]


def read_manifest(raw: bytes) -> Told:
    """Raises :class:`Refused` ``invalid`` (422)."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise wrong(
            "manifest", _("The manifest is not a JSON object. Send the one that was saved with the head.")
        )
    told = Told(
        _text(said, "backbone_hash"),
        _number(said, "dim"),
        tuple(_texts(said, "classes")),
        _text(said, "weights_sha256"),
        tuple(dict.fromkeys(_texts(said, "trained_on"))),
    )
    if not all(map(_HEX64.fullmatch, (told.backbone_hash, told.weights_sha256, *told.trained_on))):
        raise wrong(
            "manifest",
            _(
                "backbone_hash, weights_sha256 and each of trained_on are SHA-256 in small hexadecimal digits."
            ),
        )
    if len(told.classes) < 2 or len(set(told.classes)) < len(told.classes):
        raise wrong("manifest", _("A head has at least two classes, each once."))
    return told


def wrong(field: str, message: str) -> Refused:
    return Refused.invalid(field, message, short=[message])


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise _lacks(name)
    return value


def _number(said: dict[str, Any], name: str) -> int:
    value = said.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _lacks(name)
    return value


def _texts(said: dict[str, Any], name: str) -> list[str]:
    value = said.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _lacks(name)
    return value


def _lacks(name: str) -> Refused:
    return wrong("manifest", _("The manifest lacks “%(name)s”, or it is of another type.") % {"name": name})
