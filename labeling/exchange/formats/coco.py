"""COCO with a category a photo: ``annotations/labels_SPLIT.json`` and ``images/SPLIT/``, as datumaro lays them out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from labeling.catalog.selectors import schema_of
from labeling.exchange.format import SAYS, Format
from labeling.exchange.formats.table import cells
from labeling.exchange.formats.zipped import Entry, zipped
from labeling.exchange.models import SPLITS
from labeling.exchange.rows import Row
from labeling.exchange.tables.jsonl import plain
from labeling.exchange.writing import Written


def write(written: Written) -> Iterator[bytes]:
    return zipped(written, _entries(written))


def _entries(written: Written) -> Iterator[Entry]:
    if written.has_pictures:
        for row, data in written.photos():
            yield f"images/{row.split}/{written.file_name(row)}", data
    else:
        for _rows in written.chunks():
            pass
    for split in SPLITS:
        if any(name == split for name, _label in written.counts):
            yield f"annotations/labels_{split}.json", _labels(written, split)


def _labels(written: Written, split: str) -> Iterator[bytes]:
    keys = [each.label_class.key for each in schema_of(written.data_set.guideline_id)]
    numbers = {key: number for number, key in enumerate(keys, start=1)}
    categories = [{"id": number, "name": key, "supercategory": ""} for key, number in numbers.items()]
    head = {
        "licenses": [],
        "info": {"description": written.data_set.project.question},
        "categories": categories,
    }
    yield json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "images": ['
    yield from _listed(written, split, lambda row, number: _image(written, row, number))
    yield b'], "annotations": ['
    yield from _listed(
        written,
        split,
        lambda row, number: {"id": number, "image_id": number, "category_id": numbers[row.label]},
    )
    yield b"]}"


def _listed(written: Written, split: str, said: Any) -> Iterator[bytes]:
    number = 0
    for rows in written.again():
        texts = []
        for row in rows:
            if row.split == split:
                number += 1
                texts.append(
                    ("," if number > 1 else "")
                    + json.dumps(said(row, number), ensure_ascii=False, default=plain)
                )
        yield "\n".join(texts).encode()


def _image(written: Written, row: Row, number: int) -> dict[str, Any]:
    width, height = written.size(row)
    return {
        "id": number,
        "file_name": written.file_name(row),
        "width": width,
        "height": height,
        "attributes": cells(row),
    }


FORMAT = Format("COCO", "zip", "application/zip", frozenset(SAYS), write, holds_pictures=True)
