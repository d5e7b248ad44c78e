"""Probabilities of a model version's classes, told in those of another version or of today's guideline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Proba = npt.NDArray[np.floating[Any]]


def translate(
    proba: Proba, source: Sequence[int], target: Sequence[int], resolution: Mapping[int, int | None]
) -> npt.NDArray[np.float64]:
    """(n, len(source)) to (n, len(target) + 1): merged classes add up.

    The last column holds what went to classes that are retired or unknown to ``target``; rows still sum to 1.
    """
    column = {class_id: index for index, class_id in enumerate(target)}
    out = np.zeros((len(proba), len(target) + 1), dtype=np.float64)
    for index, class_id in enumerate(source):
        survivor = resolution.get(class_id)
        to = len(target) if survivor is None else column.get(survivor, len(target))
        out[:, to] += proba[:, index]
    return out


def in_force(
    proba: Proba, source: Sequence[int], resolution: Mapping[int, int | None]
) -> tuple[list[int], Proba] | None:
    """The classes of ``source`` that are still asked about, and their probabilities, summing to 1.

    ``None`` when fewer than two are left: then the version has nothing to say about the order of photos.
    """
    survivors = [resolution.get(class_id) for class_id in source]
    if survivors == list(source) and len(survivors) > 1:
        return list(source), proba
    target = list(dict.fromkeys(each for each in survivors if each is not None))
    if len(target) < 2:
        return None
    kept = translate(proba, source, target, resolution)[:, :-1]
    total = kept.sum(axis=1, keepdims=True)
    # A photo that only a retired class explained is as good as unknown.
    return target, np.where(total > 1e-12, kept / np.maximum(total, 1e-12), 1.0 / len(target))
