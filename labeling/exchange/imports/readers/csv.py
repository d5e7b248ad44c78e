"""CSV and TSV with a row of names: a spreadsheet's, or Label Studio's.

Text is UTF-8, or UTF-16 with its mark, or CP949, as Excel writes in Korea.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from labeling.exchange.imports import table
from labeling.exchange.imports.package import Package
from labeling.exchange.imports.reader import Columns, Fields, Reader, Said, Unreadable
from labeling.exchange.tables.csv import FORMULA

_LOOKED_AT = 2**16
_LONGEST_CELL = 2**20


def rows(package: Package, name: str) -> table.Rows:
    with package.open(name) as raw:
        beginning = raw.read(_LOOKED_AT)
    encoding = _encoding(beginning)
    sample = beginning.decode(encoding, errors="ignore")
    with package.open(name) as raw, io.TextIOWrapper(raw, encoding, errors="replace", newline="") as lines:
        reader = csv.reader(lines, delimiter=_delimiter(sample))
        try:
            head = [column.strip() for column in _next(reader)]
        except (StopIteration, csv.Error):
            raise Unreadable("The file is empty. Its first row names the columns.") from None
        while True:
            try:
                cells = _next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield f"line {reader.line_num}", None
                continue
            if any(cells):
                whole = len(cells) <= len(head)
                yield (
                    f"line {reader.line_num}",
                    dict(zip(head, map(_unquoted, cells), strict=False)) if whole else None,
                )


def _next(reader: Iterator[list[str]]) -> list[str]:
    """The bound is the whole process's: others that read a CSV keep theirs."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(before)


def _encoding(beginning: bytes) -> str:
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8-sig")().decode(beginning)
    except UnicodeDecodeError:
        return "cp949"
    return "utf-8-sig"


def _delimiter(sample: str) -> str:
    first = sample.partition("\n")[0]
    return max("\t,;", key=first.count)


def _unquoted(cell: str) -> str:
    """Without the apostrophe by which a spreadsheet takes a cell for text that looks like a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def recognises(package: Package) -> bool:
    return bool(_files(package))


def _files(package: Package) -> list[str]:
    return (
        package.ending_in(".csv", ".tsv", ".txt")
        if not package.is_archive
        else package.ending_in(".csv", ".tsv")
    )


def fields(package: Package) -> Fields:
    return table.fields(rows(package, _files(package)[0]))


def read(package: Package, columns: Columns) -> Iterator[Said]:
    return table.said(package, _files(package), rows, table.chosen(columns, fields(package)))


READER = Reader("CSV, TSV", recognises, read, fields)
