"""Champions' probabilities for all photos of their projects: one pass over the embeddings, however many projects.

A version's scores are one partition of ``learning_score``: made beside the others and attached when it is whole. Only
photos that came later are added to it one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import ProgrammingError, connection, transaction
from django.utils.translation import gettext_noop

from inference.scoring import Scorer, score_many
from inference.store import Located, PlacedRows, Vectors
from inference.strategies.base import top_two
from labeling.catalog.models import Project
from labeling.database.partitions import Partition
from labeling.database.planner import by_one_process
from labeling.jobs.progress import Progress
from labeling.learning.compute.beside import Begin, one_at_a_time
from labeling.learning.compute.copying import copy_into, fetch_columns, fetch_ids_and_bytes
from labeling.learning.models import ModelVersion

CHUNK = 8_192
_DIGESTS_AT_ONCE = 200_000
Ids = npt.NDArray[np.int64]
Proba = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pool:
    """A project's photos: ``item_ids`` (n,) rising, and ``images`` (n,), rows of what was gathered with it."""

    project: Project
    item_ids: Ids
    images: Ids


@dataclass(frozen=True)
class Gathered:
    """Photos of several projects, each image once. ``places`` (u,): where the images' embeddings are."""

    store: Vectors
    places: Located
    pools: list[Pool]


def gather(
    store: Vectors,
    projects: Sequence[Project],
    *,
    items: Callable[[Project], tuple[Ids, Ids]] | None = None,
    begin: Begin = one_at_a_time,
) -> Gathered:
    """Look up all photos of these projects, and each image's place in the store, once.

    ``items``: as :func:`items_of`, which is asked where nobody has asked it before.
    """
    found = [(items or items_of)(project) for project in projects]
    images = np.empty(0, dtype=np.int64)
    for _item_ids, image_ids in found:
        # Projects on one pool of photos often hold the very same ones, in the same order.
        if len(images) == 0 and (np.diff(image_ids) > 0).all():
            images = image_ids
        elif len(image_ids) != len(images) or (image_ids != images).any():
            images = np.union1d(images, image_ids)
    parts = range(0, len(images), _DIGESTS_AT_ONCE)
    reads = [begin(partial(_digests, images[start : start + _DIGESTS_AT_ONCE])) for start in parts]
    return Gathered(
        store,
        store.locate(b"".join(read() for read in reads)),
        [
            Pool(project, item_ids, rows_of(images, image_ids))
            for project, (item_ids, image_ids) in zip(projects, found, strict=True)
        ],
    )


def rows_of(rising: Ids, wanted: Ids) -> Ids:
    """(n,) where ``wanted`` ids are among ``rising`` ones, or would be. Often they are the very same, and nothing is looked
    for."""
    return np.arange(len(rising)) if np.array_equal(rising, wanted) else np.searchsorted(rising, wanted)


def picked(values: npt.NDArray[Any], by: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``values[by]``, by a mask or by row numbers. Often they name each row in turn, and then nothing is copied."""
    everything = by.all() if by.dtype == bool else np.array_equal(by, np.arange(len(values)))
    return values if everything else values[by]


def items_of(project: Project) -> tuple[Ids, Ids]:
    """Ids of a project's items, rising, and of their images. They mostly lie so; the database would sort them on a disk."""
    with by_one_process():
        item_ids, image_ids = fetch_columns(
            ["id", "image_id"], "SELECT id, image_id FROM catalog_item WHERE project_id = %s", [project.pk]
        )
    if (np.diff(item_ids) > 0).all():
        return item_ids, image_ids
    order = np.argsort(item_ids)
    return item_ids[order], image_ids[order]


def _digests(images: Ids) -> bytes:
    """The SHA-256 of images (ids, rising), 32 bytes each, end to end."""
    first, last = int(images[0]), int(images[-1])
    if last - first < 2 * len(images):  # a range is named in no time, a list of many is not
        ids, raw = fetch_ids_and_bytes(
            "SELECT id, decode(sha256, 'hex') AS bytes FROM catalog_image WHERE id BETWEEN %s AND %s ORDER BY id",
            [first, last],
        )
    else:
        ids, raw = fetch_ids_and_bytes(
            "SELECT id, decode(sha256, 'hex') AS bytes FROM catalog_image WHERE id = ANY(%s) ORDER BY id",
            [images.tolist()],
        )
    if len(ids) == len(images):
        return raw
    return np.frombuffer(raw, dtype="V32")[np.isin(ids, images, assume_unique=True)].tobytes()


def probabilities(
    gathered: Gathered, heads: Sequence[Scorer], progress: Progress | None = None
) -> list[Proba]:
    """For each head, (u, k) probabilities of all gathered images; NaN for those without an embedding.

    Reads the embeddings once, from front to back.
    """
    places = gathered.places
    order = places.in_disk_order()
    order = order[places.found[order]]
    out = [np.full((len(places), len(head.classes_)), np.nan, dtype=np.float32) for head in heads]
    for start, stop, parts in score_many(heads, PlacedRows(gathered.store, places[order]), CHUNK):
        for target, part in zip(out, parts, strict=True):
            target[order[start:stop]] = part
        if progress is not None:
            progress.report(stop, len(order), gettext_noop("Scoring photos"))
    return out


def write_scores(model_version: ModelVersion, item_ids: Ids, proba: Proba) -> dict[str, int]:
    """Store a version's probabilities (n, k), beside the scores by any other version.

    Photos that this version scored before keep their row (a head never changes its mind). Photos without an
    embedding (NaN) get no score.

    Returns {scored, already, missing}.
    """
    partition = Partition("learning_score", "model_version_id", model_version.pk)
    has = ~np.isnan(proba[:, 0])
    already = 0
    if not partition.exists():
        try:
            with transaction.atomic():
                partition.create()
                copy_into(
                    partition.name,
                    _columns(model_version, picked(item_ids, has), picked(proba, has)),
                    freeze=True,
                )
                partition.build_indexes()
                partition.attach()
            return {"scored": int(has.sum()), "already": 0, "missing": int((~has).sum())}
        except ProgrammingError:
            # Another worker made the partition in the same moment; what it left out is added below.
            if not partition.exists():
                raise
    (known,) = fetch_columns(
        ["item_id"], "SELECT item_id FROM learning_score WHERE model_version_id = %s", [model_version.pk]
    )
    seen = np.isin(item_ids, known)
    already = int(seen.sum())
    fresh = has & ~seen
    if fresh.any():
        add_scores(model_version, item_ids[fresh], proba[fresh])
    return {"scored": int(fresh.sum()), "already": already, "missing": int((~has & ~seen).sum())}


def _columns(model_version: ModelVersion, item_ids: Ids, proba: Proba) -> dict[str, npt.NDArray[Any]]:
    predicted, confidence = predict(proba, model_version.classes)
    return {
        "item_id": item_ids,
        "predicted_id": predicted,
        "confidence": confidence.astype(np.float64),
        "probabilities": proba.astype(np.float64),
    }


def predict(
    proba: npt.NDArray[np.floating[Any]], classes: Sequence[int]
) -> tuple[Ids, npt.NDArray[np.float32]]:
    """Of probabilities (n, k) of these classes (ids): (n,) the likeliest class, and (n,) its distance from the boundary."""
    at, confidence = top_two(proba)
    return np.asarray(classes, dtype=np.int64)[at], confidence


def margins(model_version: ModelVersion, proba: Proba) -> dict[int, npt.NDArray[np.float32]]:
    """Of probabilities (n, k): predicted class (id) -> (m,) distances from the boundary of the photos that are predicted so.

    Photos without an embedding (NaN) are left out.
    """
    predicted, confidence = top_two(picked(proba, ~np.isnan(proba[:, 0])))
    return {
        class_id: confidence[predicted == column] for column, class_id in enumerate(model_version.classes)
    }


@transaction.atomic
def add_scores(model_version: ModelVersion, item_ids: Ids, proba: Proba) -> list[int]:
    """Probabilities (n, k) of photos beside those that are scored, none of them NaN. Returns whose score is new."""
    with connection.cursor() as cursor:
        # Another worker may score the same photos; COPY knows no ON CONFLICT: so through a temporary table.
        cursor.execute(
            "CREATE TEMP TABLE fresh_score (item_id bigint, predicted_id bigint, confidence float8, "
            "probabilities float8[]) ON COMMIT DROP"
        )
        copy_into("fresh_score", _columns(model_version, item_ids, proba))
        cursor.execute(
            "INSERT INTO learning_score (model_version_id, item_id, predicted_id, confidence, probabilities) "
            "SELECT %s, item_id, predicted_id, confidence, probabilities FROM fresh_score "
            "ON CONFLICT (model_version_id, item_id) DO NOTHING RETURNING item_id",
            [model_version.pk],
        )
        added = [row[0] for row in cursor.fetchall()]
        # Also gone when this runs inside a longer transaction, so that the next call can make its own.
        cursor.execute("DROP TABLE fresh_score")
    return added


def drop_other_scores(model_version: ModelVersion) -> None:
    """Scores are kept for the champion only. What readers hold up is dropped the next time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM learning_modelversion v WHERE project_id = %s AND id <> %s
              AND (to_regclass('learning_score_' || id) IS NOT NULL
                   OR EXISTS (SELECT 1 FROM learning_score_default s WHERE s.model_version_id = v.id))
            """,
            [model_version.project_id, model_version.pk],
        )
        others = [row[0] for row in cursor.fetchall()]
    for other in others:
        Partition("learning_score", "model_version_id", other).drop()
