"""Arrays into PostgreSQL and out of it without a Python step a row, in PostgreSQL's own binary formats.

``COPY … (FORMAT binary)``: a header, then of each row the number of fields and, of each field, its length and its
big-endian bytes; an array field has a header of its own (PostgreSQL manual, "COPY", section "File Formats", and
``array_send`` in its sources). A numpy record of that shape is filled column by column and sent as it lies in memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from django.db import connection

Array = npt.NDArray[Any]

#: Rows encoded at a time: some hundred KB, which stay in the processor's cache while they are filled column by column.
CHUNK = 4_096
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
#: numpy kind and size -> the field's bytes; of array elements also their type's object id
_WIRE = {"i2": ">i2", "i4": ">i4", "i8": ">i8", "f4": ">f4", "f8": ">f8"}
_ELEMENT = {"i8": 20, "f4": 700, "f8": 701}


def copy_into(table: str, columns: Mapping[str, Array], *, freeze: bool = False) -> int:
    """``COPY`` equally long columns into ``table``; return the number of rows.

    Args:
        columns: name to (n,) int16, int32, int64, float32 or float64 (smallint … double precision), or (n, k) int64,
            float32 or float64 (an array of k in each row), or (n,) void: the field's bytes as its type sends them. None of
            it is NULL: leave such columns out.
        freeze: rows need no later vacuum; only for a table that this transaction created.
    """
    names = ", ".join(columns)
    options = "FORMAT binary, FREEZE" if freeze else "FORMAT binary"
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN ({options})") as copy:  # type: ignore[attr-defined]
            copy.write(_HEADER)
            for part in _encoded(list(columns.values())):
                copy.write(part)
            copy.write(_TRAILER)
        return int(cursor.rowcount)


def _encoded(columns: Sequence[Array]) -> Iterator[bytes]:
    length = len(columns[0])
    if any(len(column) != length for column in columns):
        raise ValueError(
            f"Columns of one table are equally long; these have {[len(c) for c in columns]} rows."
        )
    fields: list[tuple[str, Any]] = [("fields", ">i2")]
    for number, column in enumerate(columns):
        kind = f"{column.dtype.kind}{column.dtype.itemsize}"
        fields.append((f"length{number}", ">i4"))
        if column.dtype.kind == "V":
            fields.append((f"value{number}", column.dtype))
            continue
        element = [("length", ">i4"), ("value", _WIRE[kind])]
        if column.ndim == 2:
            shape = [
                ("dimensions", ">i4"),
                ("nulls", ">i4"),
                ("type", ">i4"),
                ("size", ">i4"),
                ("first", ">i4"),
            ]
            fields.append((f"value{number}", np.dtype([*shape, ("elements", element, (column.shape[1],))])))
        else:
            fields.append((f"value{number}", _WIRE[kind]))
    records = np.zeros(min(CHUNK, length), dtype=np.dtype(fields))
    records["fields"] = len(columns)
    for number, column in enumerate(columns):
        value = records[f"value{number}"]
        records[f"length{number}"] = value.dtype.itemsize
        if column.ndim == 2:
            value["dimensions"], value["first"], value["size"] = 1, 1, column.shape[1]
            value["type"] = _ELEMENT[f"{column.dtype.kind}{column.dtype.itemsize}"]
            value["elements"]["length"] = column.dtype.itemsize
    for start in range(0, length, CHUNK):
        stop = min(start + CHUNK, length)
        for number, column in enumerate(columns):
            value = records[f"value{number}"]
            target = value["elements"]["value"] if column.ndim == 2 else value
            target[: stop - start] = column[start:stop]
        yield records[: stop - start].tobytes()


def fetch_columns(
    columns: Sequence[str], query: str, parameters: Sequence[Any] = ()
) -> list[npt.NDArray[np.int64]]:
    """These ``bigint`` columns (never NULL) of ``query``, each as one int64 array in the query's order.

    The rows are aggregated in the database and come as one value a column: a million of them cost no step each.
    """
    aggregated = ", ".join(f"array_agg({name})" for name in columns)
    return [_int64s(value) for value in _one_row(f"SELECT {aggregated} FROM ({query}) rows", parameters)]


def fetch_ids_and_bytes(query: str, parameters: Sequence[Any] = ()) -> tuple[npt.NDArray[np.int64], bytes]:
    """The columns ``id`` (bigint) and ``bytes`` (bytea, equally long) of ``query``; the latter end to end."""
    ids, raw = _one_row(f"SELECT array_agg(id), string_agg(bytes, ''::bytea) FROM ({query}) rows", parameters)
    return _int64s(ids), raw or b""


def _one_row(query: str, parameters: Sequence[Any]) -> list[bytes | None]:
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    with psycopg.Cursor(raw) as cursor:
        cursor.execute(query.encode(), parameters, binary=True)
        result = cursor.pgresult
        assert result is not None
        return [result.get_value(0, column) for column in range(result.nfields)]


def _int64s(value: bytes | None) -> npt.NDArray[np.int64]:
    if value is None or len(value) < 20:
        return np.empty(0, dtype=np.int64)
    (element,) = struct.unpack_from(">i", value, 8)
    if element != _ELEMENT["i8"]:
        raise TypeError("Only columns of type bigint can be fetched so; cast the others.")
    elements = np.frombuffer(value, dtype=[("length", ">i4"), ("value", ">i8")], offset=20)
    return elements["value"].astype(np.int64)
