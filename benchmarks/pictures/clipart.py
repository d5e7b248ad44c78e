"""Clip art in 14 classes of very unequal size: the folders of the Open Clip Art Library that hold 50 pictures or more.

Public domain, by its contributors' dedication. Left out: what the library calls *unsorted* and *special*.
"""

from pathlib import Path

from benchmarks.pictures.base import Pictures, from_folders

ROOT = Path("/usr/share/openclipart/png")
_FOLDERS = (
    "animals",
    "buildings",
    "computer",
    "education",
    "food",
    "geography",
    "office",
    "people",
    "plants",
    "recreation",
    "shapes",
    "signs_and_symbols",
    "tools",
    "transportation",
)
_MOST = 200


def load() -> Pictures:
    """At most 200 pictures a class."""
    return from_folders(
        "clipart",
        ROOT,
        {folder: folder for folder in _FOLDERS},
        install="apt-get install openclipart-png",
        most=_MOST,
    )
