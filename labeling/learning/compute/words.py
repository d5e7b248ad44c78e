"""What a project's words say of its photos before there is a model: names and criteria of classes, in a backbone's space."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import cold_start
from inference.backbones import UnknownBackbone, WeightsError
from inference.store import PlacedRows, Vectors
from inference.words import TextEncoder, class_vectors, prompts_of, zero_shot
from labeling.catalog import backbones
from labeling.catalog.models import ClassDefinition, Project
from labeling.catalog.selectors import active_classes
from labeling.learning.cold_start import LEAST
from labeling.learning.compute.scoring import CHUNK, gather
from labeling.learning.compute.stores import load_backbone, store_of
from labeling.learning.training_set import Example, TrainingSet

logger = logging.getLogger(__name__)

Proba = npt.NDArray[np.float32]


@lru_cache(maxsize=1)
def encoder_of(name: str) -> TextEncoder:
    """One in this process: to load it takes longer than all else."""
    return TextEncoder(load_backbone(name))


@dataclass(frozen=True)
class Prior:
    """``proba``: (n, k) of the asked photos by words alone, or None where labels tell better. ``told``: why, JSON-ready.

    ``tried``: (n,) which of them words may bring, while nothing judges words yet; None afterwards.
    """

    proba: Proba | None
    tried: npt.NDArray[np.bool_] | None
    told: dict[str, Any]


def prior(
    project: Project, learned: TrainingSet, store: Vectors, item_ids: npt.NDArray[np.int64]
) -> Prior | None:
    """None where no backbone of the project knows words, or none of these photos is embedded with it.

    ``store``: of the backbone that orders the photos, from which labels would teach.
    """
    name = next((each for each in project.backbone_names if backbones.knows_words(each)), None)
    if name is None:
        return None
    definitions = active_classes(project)
    try:
        encoder = encoder_of(name)
        beside = store_of(load_backbone(name))
        classes = class_vectors(encoder, [_prompts(each) for each in definitions])
    except (UnknownBackbone, WeightsError) as error:
        logger.warning("%s: words have no part in the order: %s", project.slug, error)
        return None
    examples = _with_vectors(learned, store, beside)
    hashes = [each.sha256 for each in examples]
    column = {each.label_class_id: at for at, each in enumerate(definitions)}
    verdict = cold_start.judge(
        zero_shot(beside.rows(hashes), classes),
        store.rows(hashes),
        np.array([column[each.class_id] for each in examples], dtype=np.int64),
        _judging(examples),
        least=LEAST,
    )
    told: dict[str, Any] = {"backbone": name, "taken": verdict.words_win if verdict else None}
    if verdict is not None and not verdict.words_win:
        return Prior(None, None, told | asdict(verdict))
    proba = _of_items(project, beside, classes, item_ids)
    if proba is None:
        return None
    return Prior(proba, None, told | asdict(verdict)) if verdict else Prior(proba, tried(item_ids), told)


def tried(item_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """(n,) the same half of all photos each time, whatever is known of them: the top bit of a multiplicative hash (Knuth,
    The Art of Computer Programming 3, 6.4), as ids themselves may alternate with the classes."""
    return (item_ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(63)).astype(np.bool_)


def _prompts(definition: ClassDefinition) -> list[str]:
    criteria = [*definition.criteria.splitlines(), *map(str, definition.checklist)]
    return prompts_of(definition.name, [each.strip() for each in criteria if each.strip()])


def _with_vectors(learned: TrainingSet, *stores: Vectors) -> list[Example]:
    hashes = [each.sha256 for each in learned.examples]
    lacking = {sha256 for store in stores for sha256 in store.missing(hashes)}
    return [each for each in learned.examples if each.sha256 not in lacking]


def _judging(examples: list[Example]) -> npt.NDArray[np.bool_]:
    """The first ones of the half that words could not choose from, and what was drawn at random."""
    chosen = tried(np.array([each.item_id for each in examples], dtype=np.int64))
    strict = [each for each, by_words in zip(examples, chosen, strict=True) if each.strict and not by_words]
    first = set(sorted(each.ground_truth_id for each in strict)[:LEAST])
    return np.array([each.audit or each.ground_truth_id in first for each in examples], dtype=np.bool_)


def _of_items(
    project: Project, store: Vectors, classes: Proba, item_ids: npt.NDArray[np.int64]
) -> Proba | None:
    """Photos without an embedding are as likely any class: they come last. None where all are."""
    gathered = gather(store, [project])
    (pool,) = gathered.pools
    out = np.full((len(item_ids), len(classes)), 1 / len(classes), dtype=np.float32)
    at = np.searchsorted(pool.item_ids, item_ids)
    places = gathered.places[pool.images[at]]
    order = places.in_disk_order()
    order = order[places.found[order]]
    if len(order) == 0:
        return None
    rows = PlacedRows(gathered.store, places[order])
    for start in range(0, len(order), CHUNK):
        out[order[start : start + CHUNK]] = zero_shot(rows[start : start + CHUNK], classes)
    return out
