"""A folder that ``datasets.load_dataset("imagefolder", data_dir=…)`` reads: a split a folder, a line of metadata a photo."""

from __future__ import annotations

import json
from collections.abc import Iterator

from labeling.exchange.format import SAYS, Format
from labeling.exchange.formats.table import cells
from labeling.exchange.formats.zipped import Entry, zipped
from labeling.exchange.models import SPLITS
from labeling.exchange.tables import jsonl
from labeling.exchange.writing import Written


def write(written: Written) -> Iterator[bytes]:
    return zipped(written, _entries(written))


def _entries(written: Written) -> Iterator[Entry]:
    for row, data in written.photos():
        yield f"{row.split}/{written.file_name(row)}", data
    for split in SPLITS:
        if any(name == split for name, _label in written.counts):
            yield f"{split}/metadata.jsonl", _metadata(written, split)
    yield "README.md", _card(written)


def _metadata(written: Written, split: str) -> Iterator[bytes]:
    yield from jsonl.written(
        (
            [{"file_name": written.file_name(row)} | cells(row) for row in rows if row.split == split]
            for rows in written.again()
        ),
        (),
    )


def _card(written: Written) -> bytes:
    title = json.dumps(written.data_set.project.name, ensure_ascii=False)
    card = f"---\npretty_name: {title}\ntask_categories:\n- image-classification\n---\n"
    return f"{card}\n{written.data_set.project.question}\n".encode()


FORMAT = Format(
    "Hugging Face datasets", "zip", "application/zip", frozenset(SAYS), write, needs_pictures=True
)
