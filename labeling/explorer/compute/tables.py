"""A space's table: made as a whole, added to, and given its index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import DatabaseError, connection, transaction

from inference.projection import BITS, DIM, Projection, sign_codes
from labeling.catalog.models import Project
from labeling.database.locks import hold_name
from labeling.explorer.models import Space
from labeling.explorer.spaces import FEW, HALVES
from labeling.learning.compute.copying import copy_into

_CODES_AT_ONCE = 8_192
Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """``item_ids`` (n,), their projected ``vectors`` (n, DIM), ``places`` (n, 2) on the map, which are landmarks (n,)."""

    item_ids: Ids
    vectors: Floats
    places: Floats
    landmarks: npt.NDArray[np.bool_]

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        codes = np.zeros(len(self.item_ids), dtype=[("bits", ">i4"), ("code", "u1", (BITS // 8,))])
        codes["bits"] = BITS
        for start in range(0, len(codes), _CODES_AT_ONCE):
            stop = start + _CODES_AT_ONCE
            codes["code"][start:stop] = sign_codes(self.vectors[start:stop])
        x, y = np.rint(self.places).astype(np.int32).T
        return {
            "item_id": self.item_ids,
            "x": x,
            "y": y,
            "landmark": self.landmarks.astype(np.int16),
            "vector": self.vectors,
            "code": codes.view(f"V{4 + BITS // 8}"),
        }


@transaction.atomic
def make_schema() -> None:
    """``IF NOT EXISTS`` looks before it waits: of two projects that make their first space at once, one would fail."""
    hold_name("schema", "derived")
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS derived")


def write(project: Project, backbone_hash: str, projection: Projection, rows: Rows) -> Space:
    """A new space of the project, which is read from when it is whole."""
    make_schema()
    with transaction.atomic(), connection.cursor() as cursor:
        space = Space.objects.create(
            project=project,
            backbone=project.backbone_name,
            backbone_hash=backbone_hash,
            projection=projection.to_bytes(),
            fitted_on=len(rows.item_ids),
        )
        cursor.execute(
            f"""CREATE TABLE {space.table} (
                item_id bigint NOT NULL, x integer NOT NULL, y integer NOT NULL, landmark smallint NOT NULL,
                vector real[] NOT NULL, code bit({BITS}) NOT NULL)"""
        )
        copy_into(space.table, rows.columns(), freeze=True)
        # With the code beside it, codes are compared without a look at the vectors.
        cursor.execute(f"ALTER TABLE {space.table} ADD PRIMARY KEY (item_id) INCLUDE (code)")
        cursor.execute(f"CREATE INDEX ON {space.table} USING gist (point(x, y))")
        cursor.execute(f"ANALYZE {space.table}")
    index(space, len(rows.item_ids))
    return space


@transaction.atomic
def change(space: Space, gone: Ids, fresh: Rows | None) -> None:
    """Take these items out, and put those in."""
    with connection.cursor() as cursor:
        if len(gone):
            cursor.execute(f"DELETE FROM {space.table} WHERE item_id = ANY(%s)", [gone.tolist()])  # noqa: S608
        if fresh is not None:
            # A worker that was believed dead may have added the same; COPY knows no ON CONFLICT.
            cursor.execute(f"CREATE TEMP TABLE fresh_place (LIKE {space.table}) ON COMMIT DROP")
            copy_into("fresh_place", fresh.columns())
            cursor.execute(f"INSERT INTO {space.table} SELECT * FROM fresh_place ON CONFLICT DO NOTHING")  # noqa: S608
            cursor.execute("DROP TABLE fresh_place")


def landmarks_of(space: Space) -> tuple[Floats, Floats]:
    """(m, DIM) projected vectors and (m, 2) places of those that are still there."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT vector, x, y FROM {space.table} WHERE landmark = 1 ORDER BY item_id"  # noqa: S608
        )
        found = cursor.fetchall()
    vectors = np.array([row[0] for row in found], dtype=np.float32).reshape(-1, DIM)
    return vectors, np.array([row[1:] for row in found], dtype=np.float32).reshape(-1, 2)


def index(space: Space, photos: int) -> None:
    """HNSW over half precision, where the database has pgvector, from :data:`~labeling.explorer.spaces.FEW` photos on."""
    if photos < FEW or not _with_pgvector():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        # Where the graph does not fit into memory, building it takes many times as long: 700 bytes a photo.
        cursor.execute(
            "SELECT set_config('maintenance_work_mem', %s, true)", [f"{max(64, photos // 1500)}MB"]
        )
        name = space.table.removeprefix("derived.")
        hold_name("index", name)  # a worker that was believed dead may be making it
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS {name}_near ON {space.table} USING hnsw (({HALVES}) halfvec_l2_ops)"
        )


def _with_pgvector() -> bool:
    """Whether the database has it; where its server has it only, and we may, it is put into the database."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector')")
            if cursor.fetchone()[0]:
                cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except DatabaseError:  # not ours to create
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regtype('halfvec') IS NOT NULL")
        return bool(cursor.fetchone()[0])
