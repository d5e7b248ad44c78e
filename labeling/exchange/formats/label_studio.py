"""Label Studio's JSON of tasks, with the labeling interface that they need and the photos to serve locally."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from labeling.catalog.selectors import schema_of
from labeling.exchange.format import SAYS, Format
from labeling.exchange.formats.table import cells
from labeling.exchange.formats.zipped import Entry, zipped
from labeling.exchange.rows import Row
from labeling.exchange.tables.jsonl import plain
from labeling.exchange.writing import Written


def write(written: Written) -> Iterator[bytes]:
    return zipped(written, _entries(written))


def _entries(written: Written) -> Iterator[Entry]:
    if written.has_pictures:
        for row, data in written.photos():
            yield f"images/{written.file_name(row)}", data
        rows = written.again()
    else:
        rows = written.chunks()
    yield "tasks.json", _tasks(written, rows)
    yield "labeling-interface.xml", _interface(written)


def _tasks(written: Written, chunks: Iterator[list[Row]]) -> Iterator[bytes]:
    yield b"["
    first = True
    for rows in chunks:
        for row in rows:
            yield (
                ("" if first else ",\n") + json.dumps(_task(written, row), ensure_ascii=False, default=plain)
            ).encode()
            first = False
    yield b"]\n"


def _task(written: Written, row: Row) -> dict[str, Any]:
    address = f"/data/local-files/?d=images/{written.file_name(row)}" if written.has_pictures else row.name
    return {
        "data": {"image": address} | cells(row),
        "annotations": [
            {
                "result": [
                    {
                        "from_name": "class",
                        "to_name": "image",
                        "type": "choices",
                        "value": {"choices": [row.label]},
                    }
                ],
                "ground_truth": True,
            }
        ],
    }


def _interface(written: Written) -> bytes:
    choices = "".join(
        f"    <Choice value={quoteattr(each.label_class.key)} hint={quoteattr(each.name)}/>\n"
        for each in schema_of(written.data_set.guideline_id)
        if each.state == "active"
    )
    return (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="class" toName="image" choice="single">\n{choices}  </Choices>\n</View>\n'
    ).encode()


FORMAT = Format("Label Studio", "zip", "application/zip", frozenset(SAYS), write, holds_pictures=True)
