"""Woven cloth in three classes, two to one to one: nominal, a local defect, a defect of the whole piece.

Simulated photos of the package ``conformal-clip-data`` (Megahed et al. 2025, arXiv:2501.12596), MIT.
"""

from importlib.util import find_spec
from pathlib import Path

from benchmarks.pictures.base import NotInstalled, Pictures, from_folders

_INSTALL = "pip install conformal-clip-data"


def load() -> Pictures:
    package = find_spec("conformal_clip_data")
    if package is None or package.origin is None:
        raise NotInstalled("textile", _INSTALL)
    root = Path(package.origin).parent / "data" / "textile_images" / "simulated"
    return from_folders(
        "textile",
        root,
        {folder: folder for folder in ("nominal", "local", "global")},
        install=_INSTALL,
        ending=".jpg",
    )
