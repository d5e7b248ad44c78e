"""Write a model version's probabilities for many photos: chunks of embeddings in, rows by ``COPY`` out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils.translation import gettext_noop

from inference.train import score
from labeling.catalog.models import Item, Project
from labeling.jobs.runner import Progress
from labeling.learning.compute import artifact
from labeling.learning.compute.stores import open_store
from labeling.learning.models import ModelVersion, Score

CHUNK = 8_192


def score_items(
    *,
    project: Project,
    model_version: ModelVersion,
    item_ids: Sequence[int],
    progress: Progress | None = None,
) -> dict[str, int]:
    """Score the photos, then drop the project's scores by any other version.

    Photos that this version scored before keep their row (a head never changes its mind) and only cost
    a look, so a run that was stopped goes on, and one for a few new photos is quick. Photos without an
    embedding get no score.

    Returns {scored, already, missing}.
    """
    head = artifact.load(model_version)
    store = open_store(model_version.backbone_hash, head.n_features_in_)
    classes = np.asarray(model_version.classes, dtype=np.int64)
    scored = already = missing = 0
    for start in range(0, len(item_ids), CHUNK):
        chunk = [int(item) for item in item_ids[start : start + CHUNK]]
        known = set(
            Score.objects.filter(model_version=model_version, item_id__in=chunk).values_list(
                "item_id", flat=True
            )
        )
        wanted = [item for item in chunk if item not in known]
        already += len(known)
        hashes = dict(Item.objects.filter(project=project, pk__in=wanted).values_list("pk", "image__sha256"))
        lacking = set(store.missing(hashes.values()))
        items = [item for item in wanted if item in hashes and hashes[item] not in lacking]
        missing += len(wanted) - len(items)
        if items:
            proba = score(head, store.rows([hashes[item] for item in items])).astype(np.float64)
            _copy(model_version.pk, items, classes[proba.argmax(axis=1)], _margin(proba), proba)
        scored += len(items)
        if progress is not None:
            progress.report(start + len(chunk), len(item_ids), gettext_noop("Scoring photos"))
    _drop_others(project, model_version)
    return {"scored": scored, "already": already, "missing": missing}


def _margin(proba: Any) -> Any:
    """(n,) top probability minus the second."""
    best = np.partition(proba, proba.shape[1] - 2, axis=1)
    return best[:, -1] - best[:, -2]


@transaction.atomic
def _copy(version_id: int, items: list[int], predicted: Any, confidence: Any, proba: Any) -> None:
    def rows() -> Iterator[tuple[Any, ...]]:
        for index, item in enumerate(items):
            yield item, int(predicted[index]), float(confidence[index]), proba[index].tolist()

    with connection.cursor() as cursor:
        # Another worker may score the same photos; COPY knows no ON CONFLICT: so through a temporary table.
        cursor.execute(
            "CREATE TEMP TABLE fresh_score (item_id bigint, predicted_id bigint, confidence float8, "
            "probabilities float8[]) ON COMMIT DROP"
        )
        with cursor.copy("COPY fresh_score FROM STDIN") as copy:
            for row in rows():
                copy.write_row(row)
        cursor.execute(
            "INSERT INTO learning_score (model_version_id, item_id, predicted_id, confidence, probabilities) "
            "SELECT %s, item_id, predicted_id, confidence, probabilities FROM fresh_score "
            "ON CONFLICT (model_version_id, item_id) DO NOTHING",
            [version_id],
        )
        # Also gone when this runs inside a longer transaction, so that the next chunk can make its own.
        cursor.execute("DROP TABLE fresh_score")


def _drop_others(project: Project, model_version: ModelVersion) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM learning_score USING learning_modelversion AS version "
            "WHERE learning_score.model_version_id = version.id "
            "AND version.project_id = %s AND version.id <> %s",
            [project.pk, model_version.pk],
        )
