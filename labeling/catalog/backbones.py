"""Backbones that a project may choose, told without loading any: by packages, and by the names of weights files.

What the names mean is the library's business (``inference.backbones.names``); a test holds the two to each other.
"""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

#: Weights come in packages that are installed with Hilltop.
PACKAGED = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
#: Families whose weights an admin puts into a folder of that name in WEIGHTS_DIR.
FAMILIES = ("torchvision", "timm")
#: CLIP-like models are folders there, and know words beside photos. Nothing may follow their names.
WITH_WORDS = "clip"
#: What each has beside its configuration and tokenizer, or in a folder ``onnx``.
_HALVES = ("vision_model.onnx", "text_model.onnx")
#: What may follow a name: features and views.
SUFFIXES = ("stages", "last", "cls", "patches", "tiles2", "tiles3", "tiles4", "flip", "flips")
#: Any block of one of timm's transformers may follow, too, counted from 1.
BLOCK = re.compile(r"block([1-9]\d?)")
#: Sides of the square that one of timm's networks may be shown, pixels: ``@224`` behind its name.
SIZES = range(32, 1025)
#: Backbones that a project may use beside its own. Each costs a pass over all photos, and a part of every version's name.
MOST_FURTHER = 3
_FILES = (".safetensors", ".pth", ".pt")
#: timm's transformers are named by how deep they are and by the side of a patch.
_TRANSFORMER = re.compile(r"timm:vit_([a-z]+)_patch(\d+)")
_DEPTHS = {"tiny": 12, "small": 12, "base": 12, "large": 24, "huge": 32, "giant": 40}
#: Pixels that transformers are offered at, a multiple of the usual patches of 7, 8, 14, 16, 28 and 32 pixels.
OFFERED_SIZE = 224
#: And the blocks, as shares of the depth: the middle tells more of small things than the end (docs/log.md, 2026-11-29).
_MIDDLE = (7 / 12, 10 / 12)


def at_hand() -> list[str]:
    """Names without suffixes whose weights are there, sorted behind the packaged ones."""
    found = set()
    if settings.WEIGHTS_DIR is not None:
        for family in FAMILIES:
            folder: Path = settings.WEIGHTS_DIR / family
            files = folder.iterdir() if folder.is_dir() else ()
            found |= {f"{family}:{file.stem.partition('-')[0]}" for file in files if file.suffix in _FILES}
        found |= {f"{WITH_WORDS}:{name}" for name in _with_words(settings.WEIGHTS_DIR / WITH_WORDS)}
    return [*PACKAGED, *sorted(found)]


def _with_words(folder: Path) -> set[str]:
    models = folder.iterdir() if folder.is_dir() else ()
    return {
        model.name
        for model in models
        if all((model / name).is_file() or (model / "onnx" / name).is_file() for name in _HALVES)
    }


def knows_words(name: str) -> bool:
    """Whether the backbone of this name, with any suffixes, has a text encoder beside its image encoder."""
    return name.startswith(f"{WITH_WORDS}:")


def choices() -> list[str]:
    """What a form offers: each backbone at hand, as it is most useful, and with tiles for photos whose defect is small."""
    return [
        f"{_offered(name)}{views}"
        for name in at_hand()
        for views in (("",) if knows_words(name) else ("", "+tiles2"))
    ]


def _offered(name: str) -> str:
    """A transformer with a size at which it is affordable and two middle blocks; others as they are."""
    found = _TRANSFORMER.match(name)
    if found is None or found[1] not in _DEPTHS or OFFERED_SIZE % int(found[2]):
        return name
    blocks = (f"block{round(share * _DEPTHS[found[1]])}" for share in _MIDDLE)
    return "+".join([f"{name}@{OFFERED_SIZE}", *blocks])


def is_choice(name: str) -> bool:
    """Whether a project may be set to ``name``: one at hand, with any size and suffixes that there are."""
    start, *suffixes = name.split("+")
    if knows_words(start):
        return name in at_hand()
    start, at, size = start.partition("@")
    timms = start.startswith("timm:")
    if at and not (timms and _is_size(size, start)):
        return False
    return start in at_hand() and all(
        each in SUFFIXES or (timms and BLOCK.fullmatch(each)) for each in suffixes
    )


def _is_size(told: str, name: str) -> bool:
    if not (told.isascii() and told.isdecimal() and int(told) in SIZES):
        return False
    found = _TRANSFORMER.match(name)
    return found is None or int(told) % int(found[2]) == 0
