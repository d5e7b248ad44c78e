"""Columns with types, for pandas, Polars, DuckDB and Spark."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.format import SAYS, Format
from labeling.exchange.formats.table import cells, of_metadata
from labeling.exchange.known import Known
from labeling.exchange.tables.sink import Sink
from labeling.exchange.writing import Written


def write(written: Written) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, known = pa.string(), Known(written.data_set)
    schema = pa.schema(
        {
            "sha256": text,
            "class": pa.dictionary(pa.int32(), text),
            "split": pa.dictionary(pa.int32(), text),
            "name": text,
            "source": text,
            "origin": text,
            "promise": text,
            "stated": pa.float64(),
            "guideline": pa.int32(),
            "settled_at": pa.timestamp("us", tz="UTC"),
        }
        | {of_metadata(name): text if name in known.texts else pa.float64() for name in known.names}
    )
    sink = Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), schema, compression="zstd") as file:
        for rows in written.chunks():  # a row group each: no more is held than is sent
            file.write_table(pa.Table.from_pylist([cells(row) for row in rows], schema))
            yield sink.taken()
    yield sink.taken()


FORMAT = Format("Parquet", "parquet", "application/vnd.apache.parquet", frozenset(SAYS), write)
