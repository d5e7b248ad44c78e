"""A folder a class, in a folder a split or in none: what torchvision's ImageFolder and Ultralytics' classification read."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.imports.package import Package
from labeling.exchange.imports.reader import Columns, Reader, Said

#: Folders of photos that are no class.
_NO_CLASS = {"images", "image", "data", "photos", "train", "val", "valid", "validation", "test", ""}


def recognises(package: Package) -> bool:
    return any(_class_of(photo) for photo in package.photos)


def read(package: Package, _columns: Columns) -> Iterator[Said]:
    for photo in package.photos:
        label = _class_of(photo)
        yield Said(
            place=photo,
            photo=photo,
            labels=(label,) if label else (),
            sha256=package.sha256(photo),
            fault="" if label else "no_label",
        )


def _class_of(photo: str) -> str:
    folder = photo.rpartition("/")[0].rpartition("/")[2]
    return "" if folder.lower() in _NO_CLASS else folder


READER = Reader("ImageFolder, YOLO", recognises, read)
