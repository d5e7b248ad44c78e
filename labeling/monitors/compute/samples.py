"""The photos that the drift monitors compare: those that the champion was made for, and the newest.

The reference is a random sample of the photos that were in the project when the champion's snapshot was made, in the order
of their random keys. A photo that the champion learned from stays in it, as leaving it out would leave out what a strategy
liked; its scores are the out-of-fold ones, as what was learned by heart is stated with a confidence that no new photo gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from inference.drift import Photos
from labeling.learning.compute import artifact
from labeling.learning.compute.stores import vectors_of
from labeling.learning.models import ModelVersion
from labeling.truth.models import GroundTruth

QUALITY = ("brightness", "sharpness", "pixels", "bytes")

Floats = npt.NDArray[np.float64]

_COLUMNS = """
SELECT i.id, g.sha256, g.brightness, g.sharpness, g.width::float8 * g.height, g.size::float8, s.predicted_id, s.probabilities
FROM catalog_item i
JOIN catalog_image g ON g.id = i.image_id
JOIN learning_score s ON s.item_id = i.id AND s.model_version_id = %(model)s
WHERE i.project_id = %(project)s
"""
_REFERENCE = _COLUMNS + " AND i.added_at <= %(made)s ORDER BY hashint8extended(i.id, 0) LIMIT %(limit)s"
_NEWEST = _COLUMNS + " AND i.added_at > %(made)s ORDER BY i.id DESC LIMIT %(limit)s"


@dataclass(frozen=True)
class PhotoSample:
    """Photos that are compared: n ids and hashes, (n, 4) quality, and of m that may be used m classes, (m, k) scores."""

    item_ids: list[int]
    hashes: list[str]
    quality: Floats
    predicted: list[int]
    scores: Floats

    def last(self, count: int) -> PhotoSample:
        """The newest ``count``, where every score may be used."""
        return PhotoSample(
            self.item_ids[-count:],
            self.hashes[-count:],
            self.quality[-count:],
            self.predicted[-count:],
            self.scores[-count:],
        )

    def as_photos(self, model: ModelVersion) -> Photos:
        """As the library compares them."""
        return Photos(
            embeddings=_embeddings(model, self.hashes),
            scores=self.scores,
            classes=[str(each) for each in self.predicted],
            quality={name: self.quality[:, i] for i, name in enumerate(QUALITY)},
        )


def reference_sample(model: ModelVersion, limit: int) -> PhotoSample:
    return _sample(_REFERENCE, model, limit, out_of_fold(model))


def newest_sample(model: ModelVersion, limit: int) -> PhotoSample:
    """Of those that came after the champion's snapshot."""
    return _sample(_NEWEST, model, limit, {})


def _embeddings(model: ModelVersion, hashes: list[str]) -> npt.NDArray[np.float32] | None:
    """(n, d), or None where the store lacks some: it was emptied since these photos were scored."""
    if not model.manifest.get("dim"):
        return None
    store = vectors_of(model)
    return None if store.missing(hashes) else store.rows(hashes)


def out_of_fold(model: ModelVersion) -> dict[int, Floats | None]:
    """Photo that the version learned from -> its probabilities (k,) out of fold; None where they are not known."""
    trained: dict[int, Floats | None] = dict.fromkeys(
        GroundTruth.objects.filter(pk__in=model.snapshot.ground_truth_ids).values_list("item_id", flat=True)
    )
    kept = artifact.load_out_of_fold(model)
    if kept is not None:
        trained |= dict(zip(kept.item_ids.tolist(), kept.proba, strict=True))
    return trained


def _sample(sql: str, model: ModelVersion, limit: int, trained: dict[int, Floats | None]) -> PhotoSample:
    """Photos with a score, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "model": model.pk,
                "project": model.project_id,
                "made": model.snapshot.created_at,
                "limit": limit,
            },
        )
        rows = sorted(cursor.fetchall())
    predicted: list[int] = []
    scores: list[Any] = []
    for item, _sha, *_quality, class_id, proba in rows:
        told = trained.get(item)
        if told is not None:
            predicted.append(model.classes[int(np.argmax(told))])
            scores.append(told)
        elif item not in trained:
            predicted.append(class_id)
            scores.append(proba)
    return PhotoSample(
        item_ids=[row[0] for row in rows],
        hashes=[row[1] for row in rows],
        quality=np.array(
            [[np.nan if value is None else value for value in row[2:6]] for row in rows], dtype=np.float64
        ).reshape(-1, len(QUALITY)),
        predicted=predicted,
        scores=np.array(scores, dtype=np.float64).reshape(-1, len(model.classes)),
    )
