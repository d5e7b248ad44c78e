"""COCO: ``images``, ``categories`` and ``annotations`` that join them (https://cocodataset.org/#format-data).

A photo with annotations of several categories has several labels here. Nothing in it says who annotated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from labeling.exchange.imports.package import Package
from labeling.exchange.imports.photo_names import path_of
from labeling.exchange.imports.reader import Columns, Reader, Said, text


def recognises(package: Package) -> bool:
    return bool(_files(package))


def _files(package: Package) -> list[str]:
    found = []
    for name in package.ending_in(".json"):
        kind, names = package.begins(name)
        if kind == "map" and names & {"images", "annotations"}:
            found.append(name)
    return found


def read(package: Package, _columns: Columns) -> Iterator[Said]:
    for name in _files(package):
        yield from _read(package, name)


def _read(package: Package, name: str) -> Iterator[Said]:
    names = {
        text(each.get("id")): text(each.get("name")) for each in _objects(package, name, "categories.item")
    }
    labels: dict[str, dict[str, None]] = defaultdict(dict)
    for each in _objects(package, name, "annotations.item"):
        labels[text(each.get("image_id"))][text(each.get("category_id"))] = None
    for image in _objects(package, name, "images.item"):
        number = text(image.get("id"))
        found = labels.pop(number, None)
        if found is None:  # not annotated
            continue
        photo = text(image.get("file_name"))
        attributes = image.get("attributes")
        sha256 = text(attributes.get("sha256")) if isinstance(attributes, dict) else ""
        known = tuple(names[each] for each in found if names.get(each))
        yield Said(
            place=f"image {number}",
            photo=path_of(photo),
            labels=known,
            sha256=package.hash_of(photo, stated=sha256),
            fault="no_photo_named" if not photo else "" if known else "no_label",
        )
    for number in labels:
        yield Said(f"image {number}", fault="no_photo_named")


def _objects(package: Package, name: str, prefix: str) -> Iterator[dict[str, Any]]:
    return (each for each in package.items(name, prefix) if isinstance(each, dict))


READER = Reader("COCO", recognises, read)
