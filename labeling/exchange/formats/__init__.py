"""Formats of data sets. One is a file here with a ``Format``, and a line below; the contract test covers it from then on."""

from __future__ import annotations

from labeling.exchange.format import Format
from labeling.exchange.formats import coco, csv, huggingface, imagefolder, jsonl, label_studio, parquet

#: Under the name by which the API and the page ask for it.
FORMATS: dict[str, Format] = {
    "csv": csv.FORMAT,
    "jsonl": jsonl.FORMAT,
    "parquet": parquet.FORMAT,
    "imagefolder": imagefolder.FORMAT,
    "huggingface": huggingface.FORMAT,
    "coco": coco.FORMAT,
    "label-studio": label_studio.FORMAT,
}
