"""FiftyOne's exports: ``samples.json`` of a FiftyOneDataset, ``labels.json`` of a FiftyOneImageClassificationDataset.

https://docs.voxel51.com/user_guide/export_datasets.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from labeling.exchange.imports import table
from labeling.exchange.imports.package import Package
from labeling.exchange.imports.photo_names import path_of
from labeling.exchange.imports.reader import Columns, Fields, Reader, Said, Unreadable, text

_LOOKED_AT = 200


def _files(package: Package, wanted: set[str]) -> list[str]:
    found = []
    for name in package.ending_in(".json"):
        kind, names = package.begins(name)
        if kind == "map" and names >= wanted:
            found.append(name)
    return found


def recognises(package: Package) -> bool:
    return bool(_files(package, {"samples"}) or _files(package, {"classes", "labels"}))


def fields(package: Package) -> Fields:
    """The fields of samples that hold a classification."""
    names: Counter[str] = Counter()
    for _name, sample in islice(_samples(package), _LOOKED_AT):
        names.update(name for name, value in sample.items() if _classified(value))
    if names:
        return Fields({"label": [name for name, _n in names.most_common()]})
    if _files(package, {"samples"}):
        raise Unreadable("None of its first samples has a classification.")
    return Fields()


def read(package: Package, columns: Columns) -> Iterator[Said]:
    by = table.chosen(columns, fields(package))
    for number, (file, sample) in enumerate(_samples(package), start=1):
        value = _classified(sample.get(by["label"]))
        photo, sha256 = text(sample.get("filepath")), text(sample.get("sha256"))
        yield _said(package, file, f"sample {number}", photo, value, sha256)
    for file in _files(package, {"classes", "labels"}):
        classes = list(package.items(file, "classes.item"))
        for photo, label in package.pairs(file, "labels"):
            given = label if isinstance(label, list) else [label]
            names = [
                classes[each] if isinstance(each, int) and 0 <= each < len(classes) else each
                for each in given
            ]
            yield _said(package, file, photo, photo, [text(each) for each in names if text(each)], "")


def _said(package: Package, file: str, place: str, photo: str, labels: list[str], sha256: str) -> Said:
    return Said(
        place=place,
        photo=path_of(photo),
        labels=tuple(dict.fromkeys(labels)),
        sha256=package.hash_of(photo, stated=sha256, beside=file),
        fault="no_photo_named" if not photo else "" if labels else "no_label",
    )


def _samples(package: Package) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in _files(package, {"samples"}):
        for sample in package.items(name, "samples.item"):
            yield name, sample if isinstance(sample, dict) else {}


def _classified(value: Any) -> list[str]:
    """What a Classification says, or Classifications; empty for anything else."""
    if not isinstance(value, dict):
        return []
    several = value.get("classifications") if value.get("_cls") == "Classifications" else [value]
    return [
        text(each.get("label"))
        for each in (several if isinstance(several, list) else [])
        if isinstance(each, dict) and each.get("_cls") == "Classification" and text(each.get("label"))
    ]


READER = Reader("FiftyOne", recognises, read, fields)
