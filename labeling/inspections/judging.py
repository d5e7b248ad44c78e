"""Whether a photo serves for its shot, and what whoever took it can do better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Protocol as Interface

from django.utils.translation import gettext_lazy

from labeling.catalog import photos
from labeling.inspections.models import Fault, InspectionPhoto, Shot


class Measured(Interface):
    """Width and height in pixels, the right way up; brightness (mean luma) and sharpness (variance of the Laplacian)."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def brightness(self) -> float | None: ...
    @property
    def sharpness(self) -> float | None: ...


_ADVICE: Mapping[str, Any] = {
    Fault.SMALL: gettext_lazy(
        "The photo is too small: its shorter side needs %(side)d\u00a0pixels. Set the camera to a larger size."
    ),
    Fault.BLURRED: gettext_lazy(
        "The photo is blurred. Wipe the lens, and hold still until the picture is sharp."
    ),
    Fault.DARK: gettext_lazy("The photo is too dark. Switch a light on, or have the light behind you."),
    Fault.BRIGHT: gettext_lazy("The photo is too bright. Turn so that the sun or the lamp is behind you."),
    Fault.TILTED: gettext_lazy("The camera was tilted by more than %(tilt)g°. Hold it level."),
    Fault.WRONG_SHOT: gettext_lazy("This does not look like “%(name)s”. Take “%(name)s”."),
    Fault.REPEATED: gettext_lazy(
        "This photo was sent before, for another shot or another inspection. Take “%(name)s” now."
    ),
}


def faults_of(shot: Shot, measured: Measured, tilt: float | None = None) -> list[str]:
    """What the photo falls short of; what is not known of it is no fault."""
    sharpness, brightness = measured.sharpness, measured.brightness
    found = {
        Fault.SMALL: min(measured.width, measured.height) < shot.min_side,
        Fault.BLURRED: sharpness is not None and sharpness < shot.min_sharpness,
        Fault.DARK: brightness is not None and brightness < shot.min_brightness,
        Fault.BRIGHT: brightness is not None and brightness > shot.max_brightness,
        Fault.TILTED: tilt is not None and shot.max_tilt is not None and abs(tilt) > shot.max_tilt,
    }
    return [fault.value for fault, is_so in found.items() if is_so]


def advice_for(code: str, shot: Shot) -> str:
    """What to do where a photo of this shot has this fault, in the reader's language."""
    if code not in _ADVICE:
        return photos.advice(code)
    said = {"side": shot.min_side, "tilt": shot.max_tilt or 0, "name": shot.name}
    return str(_ADVICE[code]) % said


def advice_on(photo: InspectionPhoto) -> list[dict[str, str]]:
    """{code, advice} of each fault; behind the first what the protocol says of the shot."""
    shot = photo.shot
    said: list[dict[str, str]] = []
    for code in photo.faults:
        text = advice_for(code, shot)
        if not said and shot.advice and code in _ADVICE:
            text = f"{text} {shot.advice}"
        said.append({"code": code, "advice": text})
    return said
