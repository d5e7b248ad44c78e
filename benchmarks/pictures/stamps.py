"""Stamps of Tux Paint in eight classes: photos and drawings, cut out, of very different sizes.

GPL-2, like the program. Classes are the folders that hold 30 pictures or more.
"""

from pathlib import Path

from benchmarks.pictures.base import Pictures, from_folders

ROOT = Path("/usr/share/tuxpaint/stamps")
_FOLDERS = ("animals", "food", "household", "plants", "seasonal", "symbols", "town", "vehicles")


def load() -> Pictures:
    return from_folders(
        "stamps",
        ROOT,
        {folder: folder for folder in _FOLDERS},
        install="apt-get install tuxpaint-stamps-default",
    )
