"""The same labels as each tool writes them, by what its own documentation says; without our code.

``writers``: name of a reader -> what makes a file of it. A label is (photo, class, annotator).
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Label = tuple[str, str, str]
#: By the name of a photo, its bytes: what can come along.
Photos = dict[str, bytes]
#: (name of the file, its bytes).
File = tuple[str, bytes]
#: Formats that say who it was.
TELL_WHO = {"csv", "jsonl", "json-rows", "label-studio", "parquet"}


def _csv(labels: Sequence[Label], _photos: Photos) -> File:
    """As Label Studio's CSV: choices as an object where there are several, uploads with a number in front."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["annotation_id", "annotator", "choice", "id", "image", "lead_time"])
    for number, (photo, label, who) in enumerate(labels):
        writer.writerow(
            [number, who, json.dumps({"choices": [label]}), number, f"/data/upload/1/0a1b2c3d-{photo}", 1.5]
        )
    return "project-1-at-2026-11-30.csv", text.getvalue().encode()


def _jsonl(labels: Sequence[Label], _photos: Photos) -> File:
    rows = [
        {"filepath": f"C:\\photos\\{photo}", "label": label, "worker": who} for photo, label, who in labels
    ]
    return "labels.jsonl", "\n".join(json.dumps(row) for row in rows).encode()


def _json_min(labels: Sequence[Label], _photos: Photos) -> File:
    rows = [
        {
            "image": f"/data/local-files/?d=march/{photo}",
            "id": number,
            "choice": label,
            "annotator": who,
            "lead_time": 2.5,
        }
        for number, (photo, label, who) in enumerate(labels)
    ]
    return "project-1-at-2026-11-30.json", json.dumps(rows).encode()


def _tasks(labels: Sequence[Label], _photos: Photos) -> File:
    tasks: dict[str, dict[str, Any]] = {}
    for number, (photo, label, who) in enumerate(labels):
        task = tasks.setdefault(
            photo,
            {
                "id": len(tasks) + 1,
                "data": {"image": f"s3://bucket/march/{photo}"},
                "predictions": [],
                "annotations": [],
            },
        )
        region = {"from_name": "class", "to_name": "image", "type": "choices", "value": {"choices": [label]}}
        task["annotations"].append(
            {
                "id": number,
                "completed_by": {"id": 1, "email": who},
                "was_cancelled": False,
                "result": [region],
            }
        )
    skipped = {"id": 99, "completed_by": {"email": "carl"}, "was_cancelled": True, "result": []}
    next(iter(tasks.values()))["annotations"].append(skipped)
    return "project-1.json", json.dumps(list(tasks.values())).encode()


def _cvat(labels: Sequence[Label], photos: Photos) -> File:
    images = "".join(
        f'<image id="{number}" name="march/{photo}" width="96" height="80">'
        f'<tag label="{label}" source="manual"></tag></image>'
        for number, (photo, label, _who) in enumerate(labels)
    )
    unlabeled = (
        '<image id="9" name="other.png"><box label="crack" xtl="1" ytl="1" xbr="2" ybr="2"></box></image>'
    )
    xml = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{images}{unlabeled}</annotations>'
    files = {f"images/march/{name}": data for name, data in photos.items()}
    return "task_1.zip", zipped({"annotations.xml": xml.encode(), **files})


def _coco(labels: Sequence[Label], _photos: Photos) -> File:
    classes = sorted({label for _photo, label, _who in labels})
    said = {
        "info": {"description": "cells"},
        "images": [
            {"id": n, "file_name": photo, "width": 96, "height": 80}
            for n, (photo, _l, _w) in enumerate(labels)
        ]
        + [{"id": 99, "file_name": "nobody labeled it.png", "width": 9, "height": 9}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": classes.index(label), "bbox": [0, 0, 1, 1]}
            for n, (_photo, label, _who) in enumerate(labels)
        ],
        "categories": [{"id": n, "name": name, "supercategory": ""} for n, name in enumerate(classes)],
    }
    return "instances.json", json.dumps(said).encode()


def _imagefolder(labels: Sequence[Label], photos: Photos) -> File:
    return "cells.zip", zipped(
        {f"cells/train/{label}/{photo}": photos[photo] for photo, label, _who in labels}
    )


def _huggingface(labels: Sequence[Label], photos: Photos) -> File:
    lines = "\n".join(json.dumps({"file_name": photo, "label": label}) for photo, label, _who in labels)
    files = {f"train/{photo}": photos[photo] for photo, _label, _who in labels}
    return "dataset.zip", zipped(
        {**files, "train/metadata.jsonl": lines.encode(), "README.md": b"---\n---\n"}
    )


def _fiftyone(labels: Sequence[Label], _photos: Photos) -> File:
    samples = [
        {
            "filepath": f"data/{photo}",
            "tags": [],
            "metadata": {"_cls": "ImageMetadata", "width": 96},
            "ground_truth": {"_cls": "Classification", "label": label, "confidence": None},
        }
        for photo, label, _who in labels
    ]
    return "samples.json", json.dumps({"samples": samples}).encode()


def _parquet(labels: Sequence[Label], _photos: Photos) -> File:
    """With the numbers of classes that ``datasets`` writes."""
    classes = sorted({label for _photo, label, _who in labels})
    told = {"info": {"features": {"label": {"names": classes, "_type": "ClassLabel"}}}}
    table = pa.table(
        {
            "file_name": [photo for photo, _label, _who in labels],
            "label": [classes.index(label) for _photo, label, _who in labels],
            "annotator": [who for _photo, _label, who in labels],
        }
    ).replace_schema_metadata({"huggingface": json.dumps(told)})
    written = io.BytesIO()
    pq.write_table(table, written)
    return "train.parquet", written.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return written.getvalue()


WRITERS: dict[str, Callable[[Sequence[Label], Photos], File]] = {
    "cvat": _cvat,
    "label-studio": _tasks,
    "fiftyone": _fiftyone,
    "coco": _coco,
    "huggingface": _huggingface,
    "json-rows": _json_min,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "csv": _csv,
    "imagefolder": _imagefolder,
}
