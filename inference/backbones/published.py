"""Weights that their publisher offers on the network: where they are, under which licence, and how they come into a folder.

Knows no publisher; families say what there is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inference.on_disk import make_folder, publish


@dataclass(frozen=True)
class Published:
    """One file of weights, or a folder of them, as its publisher offers it.

    Attributes:
        address: what to fetch by hand where there is no network.
        licence: as the publisher states it.
        family, file: in a folder of weights it is ``FOLDER/family/file``, see ``inference.backbones.weights``.
        get: fetches it into the publisher's own cache, checks its hash and returns where it lies there; raises
            ``WeightsError`` where it cannot.
    """

    address: str
    licence: str
    family: str
    file: str
    get: Callable[[], Path]


def keep(offered: Published, folder: Path) -> Path:
    """Fetch weights into a folder of weights, a note of their licence beside them; as they are if they are there already.

    Raises:
        WeightsError: they cannot be fetched, or are not the file that the publisher names.
        OSError: the folder cannot be written to.
    """
    place = folder / offered.family / offered.file
    if not place.exists():
        fetched = offered.get()
        make_folder(place.parent)
        note = f"{offered.file}\nfrom {offered.address}\nlicence, as its publisher states it: {offered.licence}\n"
        put(place.with_name(f"{place.name}.LICENCE.txt"), lambda hidden: hidden.write_text(note))
        put(place, lambda hidden: _copy(fetched, hidden))
    return place


def _copy(fetched: Path, hidden: Path) -> None:
    if fetched.is_dir():
        hidden.unlink()
        shutil.copytree(fetched, hidden)
    else:
        shutil.copyfile(fetched, hidden)


def put(place: Path, write: Callable[[Path], object]) -> None:
    """A file, or a folder in its stead, that appears whole: ``write`` is given a hidden file beside ``place``."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".new")
    os.close(handle)
    hidden = Path(name)
    try:
        write(hidden)
        # Web server and workers may be other accounts than whoever fetches.
        for path in (hidden, *hidden.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        publish(hidden, place)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True) if hidden.is_dir() else hidden.unlink(missing_ok=True)
        raise
