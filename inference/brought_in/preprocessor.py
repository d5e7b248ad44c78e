"""How a classifier wants its photos: as Hugging Face's ``preprocessor_config.json`` says it, or as somebody typed it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from inference.backbones.preprocessing import Preprocessing
from inference.brought_in.refusals import NotTaken

#: Pillow's numbers of filters, which that file uses.
_FILTERS = {2: "bilinear", 3: "bicubic"}
#: Sides of the square that a network may be shown, pixels.
SIDES = range(16, 2049)


def read(told: Mapping[str, Any], given: Mapping[str, Any]) -> Preprocessing:
    """Of the file's object ``told``; ``given`` (fields of :class:`Preprocessing`) takes the place of what it says.

    The file's scale (``rescale_factor``) is worked into mean and standard deviation, which here are of values from 0 to 1.

    Raises:
        NotTaken: no size, a size or a number that cannot be, or a square that is none.
    """
    try:
        values = _of_file(told) if told else {}
    except NotTaken:
        raise
    except (AttributeError, OverflowError, TypeError, ValueError, ZeroDivisionError) as error:
        raise NotTaken(f"The preprocessor's file says what cannot be: {error}") from error
    values |= given
    if "size" not in values:
        raise NotTaken("The side of the square that the network takes is not known: name its size.")
    values.setdefault("resize", values["size"])
    for name in ("size", "resize"):
        if type(values[name]) is not int or values[name] not in SIDES:
            raise NotTaken(f"{name} is {values[name]}; a side is {SIDES[0]} to {SIDES[-1]} pixels.")
    for name in ("mean", "std"):
        if name in values:
            values[name] = _three(name, values[name])
    if values["resize"] < values["size"]:
        raise NotTaken("A photo cannot be made smaller than the square that is cut out of it.")
    return Preprocessing(**values)


def _of_file(told: Mapping[str, Any]) -> dict[str, Any]:
    scale = 255.0 * float(told.get("rescale_factor", 1 / 255)) if told.get("do_rescale", True) else 255.0
    normalised = told.get("do_normalize", True)
    mean = told.get("image_mean", (0.485, 0.456, 0.406)) if normalised else (0.0, 0.0, 0.0)
    std = told.get("image_std", (0.229, 0.224, 0.225)) if normalised else (1.0, 1.0, 1.0)
    filter = _FILTERS.get(told.get("resample", 2))
    if filter is None:
        raise NotTaken("resample must be 2 (bilinear) or 3 (bicubic).")
    values: dict[str, Any] = {
        "mean": tuple(each / scale for each in _three("image_mean", mean)),
        "std": tuple(each / scale for each in _three("image_std", std)),
        "interpolation": filter,
    }
    size, crop = told.get("size"), told.get("crop_size")
    if size is None:
        return values
    shortest = size.get("shortest_edge") if isinstance(size, dict) else None
    if told.get("do_center_crop", crop is not None) and crop is not None:
        values |= {"size": _side(crop), "resize": shortest or _side(size)}
    elif shortest and (share := told.get("crop_pct")):  # as ConvNeXt's are
        values |= {"size": shortest, "resize": int(shortest / share)}
    elif shortest:
        values |= {"size": shortest, "resize": shortest}
    else:
        values |= {"size": _side(size), "resize": _side(size), "squash": True}
    return values


def _side(told: Any) -> int:
    height, width = (told.get("height"), told.get("width")) if isinstance(told, dict) else (told, told)
    if not isinstance(height, int) or height != width:
        raise NotTaken(f"The network must take squares; its size is told as {told}.")
    return height


def _three(name: str, told: Any) -> tuple[float, float, float]:
    try:
        red, green, blue = (float(each) for each in told)
    except (TypeError, ValueError):
        raise NotTaken(f"{name} must be three numbers: of red, green and blue.") from None
    if not all(map(math.isfinite, (red, green, blue))) or ("std" in name and not min(red, green, blue) > 0):
        raise NotTaken(f"{name} must be three numbers, and a deviation is more than 0.")
    return red, green, blue
