"""What the capture page is told: the shots with what each must be, and what to say where one is not."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.catalog import photos
from labeling.catalog.renditions import VARIANTS
from labeling.inspections.capture.state import state_of, version_of
from labeling.inspections.judging import advice_for
from labeling.inspections.models import CaptureLink, Fault, Shot

#: Of a shot, to the browser, which judges as the server will.
SENT = (
    "key",
    "name",
    "required",
    "outline",
    "min_side",
    "min_sharpness",
    "min_brightness",
    "max_brightness",
    "max_tilt",
)
#: What the browser can find out by itself.
_FOUND = (Fault.SMALL, Fault.BLURRED, Fault.DARK, Fault.BRIGHT, Fault.TILTED)


def settings_for(link: CaptureLink, token: str) -> dict[str, Any]:
    """What the page's script needs beside its texts."""
    identifier = link.asset.identifier
    return {
        **_addresses(link.pk, token),
        "title": _("Photograph “%(name)s”") % {"name": identifier},
        "asset": identifier,
        "longest": VARIANTS["screen"][0],
        "mostBytes": settings.INTAKE_MAX_BYTES,
        "shots": [_shot(shot) for shot in version_of(link).shots.all()],
        "state": state_of(link),
        "ended": "",
    }


def settings_of_ended(pk: Any, token: str, message: str) -> dict[str, Any]:
    """Of a link that ended, nothing is told; but photos that wait on the phone for it are still there."""
    return {
        **_addresses(pk, token),
        "title": message,
        "asset": "",
        "longest": 0,
        "mostBytes": 0,
        "shots": [],
        "state": None,
        "ended": message,
    }


def _addresses(pk: Any, token: str) -> dict[str, Any]:
    names = {"state": "api-capture", "photos": "api-capture-photos", "submit": "api-capture-submit"}
    return {"link": str(pk), "urls": {key: reverse(name, args=[token]) for key, name in names.items()}}


def _shot(shot: Shot) -> dict[str, Any]:
    says = {fault.value: advice_for(fault, shot) for fault in _FOUND}
    return {
        **{name: getattr(shot, name) for name in SENT},
        "hint": shot.advice,
        "says": says | {"too_large": photos.advice("too_large")},
    }
