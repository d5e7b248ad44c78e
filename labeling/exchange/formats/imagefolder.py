"""A folder a class in a folder a split: what torchvision's ImageFolder and Ultralytics' classification read."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.format import Format
from labeling.exchange.formats.zipped import zipped
from labeling.exchange.writing import Written

#: As both expect the folder to be called.
_FOLDERS = {"validation": "val"}


def write(written: Written) -> Iterator[bytes]:
    return zipped(
        written,
        (
            (f"{_FOLDERS.get(row.split, row.split)}/{row.label}/{written.file_name(row)}", data)
            for row, data in written.photos()
        ),
    )


FORMAT = Format(
    "ImageFolder, YOLO", "zip", "application/zip", frozenset({"split"}), write, needs_pictures=True
)
