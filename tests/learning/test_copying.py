"""Arrays into tables and back, in PostgreSQL's binary formats; and partitions that come and go whole."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection, transaction

from labeling.database.partitions import Partition
from labeling.learning.compute import copying
from labeling.learning.compute.copying import copy_into, fetch_columns, fetch_ids_and_bytes

pytestmark = pytest.mark.django_db


def _sql(query: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall()) if cursor.description else []


def test_what_is_copied_in_is_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "CHUNK", 3)  # several parts, the last one smaller
    _sql(
        "CREATE TEMP TABLE given (small smallint, whole int, large bigint, real real, double float8,"
        " many float8[], few real[], ids bigint[], word text DEFAULT 'kept') ON COMMIT DROP"
    )
    dice = np.random.default_rng(0)
    columns = {
        "small": np.array([-3, 0, 1, 2, 32_000, 5, 6, 7], dtype=np.int16),
        "whole": np.arange(-4, 4, dtype=np.int32),
        "large": np.array([-(2**60), -1, 0, 1, 2, 3, 4, 2**60]),
        "real": dice.normal(size=8).astype(np.float32),
        "double": dice.normal(size=8),
        "many": dice.normal(size=(8, 3)),
        "few": dice.normal(size=(8, 1)).astype(np.float32),
        "ids": dice.integers(-9, 9, size=(8, 2)),
    }
    assert copy_into("given", columns) == 8
    rows = _sql("SELECT * FROM given")
    for number, (name, column) in enumerate(columns.items()):
        read = np.array([row[number] for row in rows], dtype=column.dtype)
        assert np.array_equal(read, column), name
    assert {row[-1] for row in rows} == {"kept"}, "columns that are left out have their default"


def test_unequal_columns_are_refused() -> None:
    _sql("CREATE TEMP TABLE given (a bigint, b bigint) ON COMMIT DROP")
    with pytest.raises(ValueError, match="equally long"), transaction.atomic():
        copy_into("given", {"a": np.arange(3), "b": np.arange(2)})


def test_no_rows_are_no_trouble() -> None:
    _sql("CREATE TEMP TABLE given (a bigint, b float8[]) ON COMMIT DROP")
    assert copy_into("given", {"a": np.empty(0, dtype=np.int64), "b": np.empty((0, 2))}) == 0
    (found,) = fetch_columns(["a"], "SELECT a FROM given")
    assert found.dtype == np.int64 and len(found) == 0


def test_columns_and_bytes_come_back_in_the_querys_order() -> None:
    numbers = (
        "SELECT n AS id, -n AS other, decode(lpad(to_hex(n), 4, '0'), 'hex') AS bytes"
        " FROM generate_series(1::bigint, 500) n"
    )
    ids, others = fetch_columns(["id", "other"], f"{numbers} ORDER BY n DESC")
    assert ids.tolist() == list(range(500, 0, -1)) and (ids == -others).all()
    with pytest.raises(TypeError, match="cast"):
        fetch_columns(["n"], "SELECT 1::int AS n")
    ids, raw = fetch_ids_and_bytes(f"{numbers} WHERE n > %s ORDER BY n", [300])
    assert ids.tolist() == list(range(301, 501))
    assert np.frombuffer(raw, dtype=">u2").tolist() == ids.tolist()


def test_a_partition_is_made_beside_its_table_and_has_the_same_indexes() -> None:
    partition = Partition("queue_entry", "ranking_id", 987_654)
    assert not partition.exists()
    partition.create(round=1, taken=0, free=2, late=False, draw="rank")
    copy_into(
        partition.name,
        {
            "item_id": np.arange(10),
            "band": np.zeros(10, dtype=np.int16),
            "position": np.arange(10, dtype=np.int32),
        },
        freeze=True,
    )
    partition.build_indexes()
    assert _sql("SELECT count(*) FROM queue_entry WHERE ranking_id = 987654") == [(0,)]
    partition.attach()
    assert _sql("SELECT count(*), min(free) FROM queue_entry WHERE ranking_id = 987654") == [(10, 2)]
    count = "SELECT count(*) FROM pg_index WHERE indrelid = '{}'::regclass"
    assert _sql(count.format(partition.name)) == _sql(count.format("queue_entry")), "none was built twice"
    assert partition.exists() and partition.drop() and not partition.exists()
    assert _sql("SELECT count(*) FROM queue_entry WHERE ranking_id = 987654") == [(0,)]
