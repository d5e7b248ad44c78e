"""``metadata.csv`` beside photos: a row a file, found by its column ``file_name``; the other columns are kept on the photo.

Hugging Face's ImageFolder reads the same file (https://huggingface.co/docs/datasets/image_dataset).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from labeling.catalog.metadata.values import LARGEST, Value, checked
from labeling.catalog.name_encodings import kept_path, read, reading_of
from labeling.catalog.photos import PhotoRefused
from labeling.refusals import Refused

NAME = "metadata.csv"
FILE_NAME = "file_name"
#: Of a table, and of all tables of a delivery: these are in memory together until their files were seen.
MOST_BYTES, MOST_TOGETHER = 16 * 2**20, 32 * 2**20
_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,16})?")
_SEPARATORS = ",;\t"


def is_table(name: str) -> bool:
    return name.rpartition("/")[2].lower() == NAME


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: its line, from 1 for the header; ``key``: what it has in the column that names its photo."""

    number: int
    key: str
    values: dict[str, Value]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A file, or row, of which nothing is taken: under which name and path it is listed, and why."""

    name: str
    path: str
    refused: str


def lines_of(data: bytes, column: str) -> Iterator[Line]:
    """The rows of a CSV file whose photos are named in ``column``. Raises :class:`PhotoRefused` ``metadata_unreadable``.

    Commas, semicolons and tabs part columns, as the first line has it. A text of digits only is a number where nothing
    of it is lost: ``007`` stays a text.
    """
    if len(data) > MOST_BYTES:
        raise PhotoRefused("metadata_unreadable")
    raw = data.removeprefix(b"\xef\xbb\xbf")
    reading = reading_of(raw.splitlines())
    text = read(raw, reading.encoding if reading else "ascii")
    if "\0" in text:
        raise PhotoRefused("metadata_unreadable")
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [name.strip() for name in next(rows, [])]
        if header.count(column) != 1 or len(set(header)) != len(header):
            raise PhotoRefused("metadata_unreadable")
        for cells in rows:
            if any(cells):
                yield _line(rows.line_num, dict(zip(header, cells, strict=False)), column)
    except csv.Error:
        raise PhotoRefused("metadata_unreadable") from None


def _line(number: int, cells: dict[str, str], column: str) -> Line:
    key = cells.pop(column, "").strip()
    try:
        said = checked({name: _typed(cell.strip()) for name, cell in cells.items() if name and cell.strip()})
    except Refused:
        return Line(number, key, {}, "metadata_bounds")
    return Line(number, key, {name: value for name, value in said.items() if value is not None})


def _typed(cell: str) -> str | int | float:
    if _NUMBER.fullmatch(cell):
        number = float(cell) if "." in cell else int(cell)
        if str(number) == cell and abs(number) <= LARGEST:
            return number
    return cell


class Tables:
    """What the tables of a delivery say of its files, by their names."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, Value]] = {}
        self._lines: dict[str, list[BadLine]] = {}
        self._bad: list[BadLine] = []
        self._left = MOST_TOGETHER

    def add(self, name: str, path: str, data: bytes) -> None:
        """A table as it is called in the delivery, with the path by which its bytes are found."""
        folder = name.rpartition("/")[0]
        self._left -= len(data)
        if self._left < 0:
            self.refuse(name, path, "metadata_unreadable")
            return
        try:
            for line in list(lines_of(data, FILE_NAME)):  # all of it, or nothing
                told = f"{name}:{line.number}"
                file = kept_path(f"{folder}/{line.key}" if folder else line.key)
                # A path that no file has: it is never read.
                at = "/" + hashlib.sha256(f"{path}:{line.number}".encode()).hexdigest()
                if line.refused:
                    self._bad.append(BadLine(told, at, line.refused))
                    continue
                self._said.setdefault(file, {}).update(line.values)
                self._lines.setdefault(file, []).append(BadLine(told, at, "metadata_of_nothing"))
        except PhotoRefused as refusal:
            self.refuse(name, path, refusal.code)

    def refuse(self, name: str, path: str, code: str) -> None:
        """Of a table that cannot be read."""
        self._bad.append(BadLine(name, path, code))

    def of(self, name: str) -> dict[str, Value] | None:
        """What is said of this file; its rows have found their photo."""
        self._lines.pop(name, None)
        return self._said.get(name)

    @property
    def names(self) -> list[str]:
        """Files of which something is said."""
        return list(self._said)

    @property
    def bad(self) -> list[BadLine]:
        """What is listed as refused: rows that cannot be taken, and those of which :meth:`of` was not asked."""
        return [*self._bad, *(line for lines in self._lines.values() for line in lines)]
