"""In which order people should see photos, by the project's strategy. For workers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference import backbones, strategies
from inference.store import EmbeddingStore
from inference.strategies import Pool
from inference.train import score
from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import class_resolution
from labeling.jobs.runner import JobError
from labeling.learning import selectors
from labeling.learning.compute import artifact
from labeling.learning.compute.classes import in_force
from labeling.learning.compute.stores import StoredRows, open_store, store_of
from labeling.learning.training_set import training_set


@dataclass(frozen=True)
class Ordered:
    """Photos in the order to label them; arrays have one entry a photo, in that order.

    Attributes:
        item_ids: (n,) int64.
        ladder: (n,) int64, LabelClass id of the predicted class; 0 without a model.
        band: (n,) int16, 0 is the outermost.
        position: (n,) int32, 0, 1, ... within the band, in the strategy's order.
        confidence: (n,) float32, distance from the boundary in [0, 1]; NaN without a model.
        model_version_id: of the champion that had a part in it.
        missing: items without an embedding, which could not be ordered.
    """

    item_ids: npt.NDArray[np.int64]
    ladder: npt.NDArray[np.int64]
    band: npt.NDArray[np.int16]
    position: npt.NDArray[np.int32]
    confidence: npt.NDArray[np.float32]
    model_version_id: int | None
    missing: list[int]


def order_items(
    *, project: Project, item_ids: Sequence[int], strategy: str, bands: int, seed: int
) -> Ordered:
    """Order the given photos by ``strategy`` with the champion, if there is one.

    Embeddings are read from the store as the strategy asks for them, so the pool need not fit in memory.

    Raises :class:`JobError` for an unknown strategy or backbone, and for a champion whose files are gone.
    """
    try:
        chosen = strategies.get(strategy)
    except LookupError as error:
        raise JobError(f"{error} Choose another strategy in the project's settings.") from error
    champion = selectors.champion(project)
    head = artifact.load(champion) if champion else None
    store = open_store(champion.backbone_hash, head.n_features_in_) if champion and head else _store(project)

    hashes = _hashes(project, item_ids)
    lacking = set(store.missing(hashes.values()))
    present = [int(item) for item in item_ids if hashes.get(int(item), "") not in lacking | {""}]
    there = set(present)
    missing = [int(item) for item in item_ids if int(item) not in there]
    rows = StoredRows(store, [hashes[item] for item in present])

    model_version_id: int | None = None
    classes: list[int] = []
    proba: npt.NDArray[np.float64] | None = None
    if champion and head:
        # Classes may have been merged or retired since the champion was trained.
        told = in_force(score(head, rows), champion.classes, class_resolution(project))  # type: ignore[arg-type]
        if told is not None:
            classes, proba = told
            model_version_id = champion.pk
    labeled_rows, labeled_y = _labeled(project, store, classes)

    ordering = chosen.order(
        Pool(
            ids=np.asarray(present, dtype=np.int64),
            embeddings=rows,  # type: ignore[arg-type]
            proba=proba,
            labeled_embeddings=labeled_rows,
            labeled_y=labeled_y,
        ),
        bands=bands,
        seed=seed,
    )
    order = ordering.order
    band = ordering.band[order]
    ladder = ordering.ladder[order]
    confidence = ordering.confidence[order].astype(np.float32)
    without = ladder < 0
    names = np.array([*classes, 0], dtype=np.int64)  # the last is for -1
    return Ordered(
        item_ids=np.asarray(present, dtype=np.int64)[order],
        ladder=names[np.where(without, len(classes), ladder)],
        band=band,
        position=_positions(band),
        confidence=np.where(without, np.float32(np.nan), confidence).astype(np.float32),
        model_version_id=model_version_id,
        missing=missing,
    )


def _store(project: Project) -> EmbeddingStore:
    try:
        return store_of(backbones.load(project.backbone))
    except (backbones.UnknownBackbone, backbones.WeightsError) as error:
        raise JobError(f"{error} Choose another backbone in the project's settings.") from error


def _hashes(project: Project, item_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(item_ids), 20_000):
        chunk = [int(item) for item in item_ids[start : start + 20_000]]
        found.update(Item.objects.filter(project=project, pk__in=chunk).values_list("pk", "image__sha256"))
    return found


def _labeled(
    project: Project, store: EmbeddingStore, classes: list[int]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Embeddings and columns of what is settled. Without a model, columns follow the guideline's order."""
    settled = training_set(project)
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
    for each in np.unique(band):
        members = np.flatnonzero(band == each)
        position[members] = np.arange(len(members), dtype=np.int32)
    return position
