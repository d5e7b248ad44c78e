"""Formats that labels come in. One is a file here with a ``READER``, and a line below; the contract test covers it then."""

from __future__ import annotations

from labeling.exchange.imports.reader import Reader
from labeling.exchange.imports.readers import (
    coco,
    csv,
    cvat,
    fiftyone,
    huggingface,
    imagefolder,
    json_rows,
    jsonl,
    label_studio,
    parquet,
)

#: Under the name by which the API and the page know it. The first that recognises a file reads it: those come first that
#: know what they look for, then tables of any kind.
READERS: dict[str, Reader] = {
    "cvat": cvat.READER,
    "label-studio": label_studio.READER,
    "fiftyone": fiftyone.READER,
    "coco": coco.READER,
    "huggingface": huggingface.READER,
    "json-rows": json_rows.READER,
    "jsonl": jsonl.READER,
    "parquet": parquet.READER,
    "csv": csv.READER,
    "imagefolder": imagefolder.READER,
}
