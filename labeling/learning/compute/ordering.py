"""In which order people should see photos, by the project's strategy. For workers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import backbones, strategies
from inference.scoring import Scorer
from inference.store import PlacedRows, Vectors
from inference.strategies import Pool as Candidates
from inference.strategies import Strategy
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.jobs.progress import JobError
from labeling.learning.compute import artifact
from labeling.learning.compute.classes import in_force
from labeling.learning.compute.scoring import Gathered, Pool, picked, rows_of
from labeling.learning.compute.stores import Open, open_store, store_of, vectors_of
from labeling.learning.compute.words import prior
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import TrainingSet, training_set


@dataclass(frozen=True)
class Ordered:
    """Photos in the order to label them; arrays have one entry a photo, in that order.

    Attributes:
        item_ids: (n,) int64.
        ladder: (n,) int64, LabelClass id of the predicted class; 0 without a model.
        bands: how many there are; 1 without a model, and for a strategy whose order is not to be paced by bands.
        band: (n,) int16, 0 is the outermost.
        position: (n,) int32, 0, 1, ... within the band, in the strategy's order.
        confidence: (n,) float32, distance from the boundary in [0, 1]; NaN without a model.
        model_version_id: of the champion that had a part in it.
        missing: items without an embedding, which could not be ordered.
        words: how words and labels compared before the first model (see ``compute.words``); None where words had no part.
    """

    item_ids: npt.NDArray[np.int64]
    ladder: npt.NDArray[np.int64]
    bands: int
    band: npt.NDArray[np.int16]
    position: npt.NDArray[np.int32]
    confidence: npt.NDArray[np.float32]
    model_version_id: int | None
    missing: list[int]
    words: dict[str, Any] | None = None

    def summary(self) -> dict[str, dict[str, list[float]]]:
        """ladder (class id) -> band -> [lowest confidence, highest confidence, photos]; without a model empty."""
        places, which = places_of(self.ladder, self.band)
        lowest = np.full(len(places), np.inf, dtype=np.float32)
        highest = np.full(len(places), -np.inf, dtype=np.float32)
        np.fmin.at(lowest, which, self.confidence)
        np.fmax.at(highest, which, self.confidence)
        photos = np.bincount(which, minlength=len(places))
        told: dict[str, dict[str, list[float]]] = {}
        for place, (ladder, band) in enumerate(places):
            if ladder:
                cell = [float(lowest[place]), float(highest[place]), int(photos[place])]
                told.setdefault(str(ladder), {})[str(band)] = cell
        return told

    def columns(self, *, arrivals: list[int], arrivals_band: int) -> list[dict[str, npt.NDArray[Any]]]:
        """Columns of the queue's entries, in parts: where there is no ladder, the parts lack what would be NULL."""
        known = (self.ladder > 0) & ~np.isnan(self.confidence)
        parts: list[dict[str, npt.NDArray[Any]]] = []
        for rows in (known, ~known):
            if not rows.any():
                continue
            everything = bool(rows.all())
            part: dict[str, npt.NDArray[Any]] = {
                "item_id": self.item_ids,
                "band": self.band,
                "position": self.position,
                "ladder_id": self.ladder,
                "confidence": self.confidence.astype(np.float64),
            }
            if rows is not known:
                del part["ladder_id"], part["confidence"]
            parts.append(part if everything else {name: column[rows] for name, column in part.items()})
        if arrivals:
            parts.append(
                {
                    "item_id": np.asarray(arrivals, dtype=np.int64),
                    "band": np.full(len(arrivals), arrivals_band, dtype=np.int16),
                    "position": np.arange(len(arrivals), dtype=np.int32),
                }
            )
        return parts


def places_of(
    ladder: npt.NDArray[np.int64], band: npt.NDArray[np.int16]
) -> tuple[list[tuple[int, int]], npt.NDArray[np.int64]]:
    """The places (ladder, band) at which there are photos, rising, and (n,) at which of them each photo is.

    Ladders (n,) and bands (n,) are small numbers, so they are counted: to sort a million of them takes ten times as long.
    """
    if not len(ladder):
        return [], np.empty(0, dtype=np.int64)
    ladders, which = _numbered(ladder)
    width = int(band.max()) + 1
    there, which = _numbered(which * width + band)
    return [(int(ladders[each // width]), int(each % width)) for each in there], which


def _numbered(values: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """As ``np.unique`` with its inverse, of numbers from 0 on."""
    found = np.flatnonzero(np.bincount(values))
    number = np.zeros(int(found[-1]) + 1, dtype=np.int64)
    number[found] = np.arange(len(found))
    return found, number[values]


@dataclass(frozen=True)
class Prepared:
    """All that an ordering needs, read: from here on no database is asked, so it may run in a thread of its own.

    ``classes`` are LabelClass ids, the columns of ``pool.proba``.
    """

    strategy: Strategy
    pool: Candidates
    classes: list[int]
    model_version_id: int | None
    missing: list[int]
    words: dict[str, Any] | None = None


def backbone_of(
    project: Project, champion: ModelVersion | None, open_one: Open = open_store
) -> tuple[Vectors, Scorer | None]:
    """The store that the project's order is made from, and the champion's head.

    Raises :class:`JobError` for an unknown backbone, and for a champion whose files are gone.
    """
    if champion is not None:
        head = artifact.load(champion)
        return vectors_of(champion, open_one), head
    try:
        return store_of(backbones.load(project.backbone_name), open_one), None
    except (backbones.UnknownBackbone, backbones.WeightsError) as error:
        raise JobError(f"{error} Choose another backbone in the project's settings.") from error


def prepare(
    *,
    gathered: Gathered,
    pool: Pool,
    champion: ModelVersion | None,
    proba: npt.NDArray[np.float32] | None,
    item_ids: npt.NDArray[np.int64],
    strategy: str,
) -> Prepared:
    """What it takes to order ``item_ids`` of a gathered pool.

    ``proba``: the champion's, for all gathered images.

    Raises :class:`JobError` for an unknown strategy.
    """
    try:
        chosen = strategies.get(strategy)
    except LookupError as error:
        raise JobError(f"{error} Choose another strategy in the project's settings.") from error
    project = pool.project
    at = rows_of(pool.item_ids, item_ids)
    at[at == len(pool.item_ids)] = 0
    known = pool.item_ids[at] == item_ids if len(pool.item_ids) else np.zeros(len(item_ids), dtype=bool)
    images = pool.images[at[known]]
    embedded = gathered.places.found[images]
    present, images = item_ids[known][embedded], images[embedded]
    missing = np.concatenate([item_ids[~known], item_ids[known][~embedded]])

    classes: list[int] = []
    told: tuple[list[int], npt.NDArray[np.floating[Any]]] | None = None
    if champion is not None and proba is not None:
        # Classes may have been merged or retired since the champion was trained.
        told = in_force(picked(proba, images), champion.classes, class_resolution(project))
        if told is not None:
            classes = told[0]
    learned = training_set(project)
    labeled_rows, labeled_y = _labeled(learned, gathered.store, classes)
    begins_by_words = champion is None and chosen.name == "inward"
    by_words = prior(project, learned, gathered.store, present) if begins_by_words else None
    return Prepared(
        strategy=chosen,
        pool=Candidates(
            ids=present,
            embeddings=PlacedRows(gathered.store, gathered.places[images]),  # type: ignore[arg-type]
            proba=told[1] if told is not None else None,
            labeled_embeddings=labeled_rows,
            labeled_y=labeled_y,
            words=by_words.proba if by_words else None,
            tried=by_words.tried if by_words else None,
        ),
        classes=classes,
        model_version_id=champion.pk if champion is not None and told is not None else None,
        missing=missing.tolist(),
        words=by_words.told if by_words else None,
    )


def order(prepared: Prepared, *, bands: int, seed: int) -> Ordered:
    """The prepared photos in the strategy's order. Embeddings are read from the store as the strategy asks."""
    # The queue takes what is due band by band. A strategy that has a say of its own on what comes first
    # would be overruled by that: its order is one band.
    if prepared.model_version_id is None or not prepared.strategy.paced:
        bands = 1
    ordering = prepared.strategy.order(prepared.pool, bands=bands, seed=seed)
    order = ordering.order
    band = ordering.band[order]
    ladder = ordering.ladder[order]
    without = ladder < 0
    names = np.array([*prepared.classes, 0], dtype=np.int64)  # the last is for -1
    return Ordered(
        item_ids=prepared.pool.ids[order],
        ladder=names[ladder],
        bands=bands,
        band=band,
        position=_positions(band),
        confidence=np.where(without, np.float32(np.nan), ordering.confidence[order]).astype(np.float32),
        model_version_id=prepared.model_version_id,
        missing=prepared.missing,
        words=prepared.words,
    )


def _labeled(
    settled: TrainingSet, store: Vectors, classes: list[int]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Embeddings and columns of what is settled. Without a model, columns follow the guideline's order."""
    columns = {each: index for index, each in enumerate(classes or [each.id for each in settled.classes])}
    lacking = set(store.missing([example.sha256 for example in settled.examples]))
    usable = [
        example
        for example in settled.examples
        if example.sha256 not in lacking and example.class_id in columns
    ]
    return (
        store.rows([example.sha256 for example in usable]),
        np.array([columns[example.class_id] for example in usable], dtype=np.int64),
    )


def _positions(band: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
    """(n,) how many of the same band come before each."""
    position = np.empty(len(band), dtype=np.int32)
    for each in np.flatnonzero(np.bincount(band)):
        members = np.flatnonzero(band == each)
        position[members] = np.arange(len(members), dtype=np.int32)
    return position
