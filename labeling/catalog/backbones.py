"""Backbones that a project may choose, told without loading any: by packages, and by the names of weights files.

What the names mean is the library's business (``inference.backbones.names``); a test holds the two to each other.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

#: Weights come in packages that are installed with Hilltop.
PACKAGED = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
#: Families whose weights an admin puts into a folder of that name in WEIGHTS_DIR.
FAMILIES = ("torchvision", "timm")
#: What may follow a name: features and views.
SUFFIXES = ("stages", "last", "cls", "patches", "tiles2", "tiles3", "tiles4", "flip", "flips")
#: Backbones that a project may use beside its own. Each costs a pass over all photos, and a part of every version's name.
MOST_FURTHER = 3
_FILES = (".safetensors", ".pth", ".pt")


def at_hand() -> list[str]:
    """Names without suffixes whose weights are there, sorted behind the packaged ones."""
    found = set()
    if settings.WEIGHTS_DIR is not None:
        for family in FAMILIES:
            folder: Path = settings.WEIGHTS_DIR / family
            files = folder.iterdir() if folder.is_dir() else ()
            found |= {f"{family}:{file.stem.partition('-')[0]}" for file in files if file.suffix in _FILES}
    return [*PACKAGED, *sorted(found)]


def choices() -> list[str]:
    """What a form offers: each backbone at hand, and with tiles for photos whose defect is small."""
    return [f"{name}{views}" for name in at_hand() for views in ("", "+tiles2")]


def is_choice(name: str) -> bool:
    """Whether a project may be set to ``name``: one at hand, with any suffixes that there are."""
    start, *suffixes = name.split("+")
    return start in at_hand() and all(suffix in SUFFIXES for suffix in suffixes)
