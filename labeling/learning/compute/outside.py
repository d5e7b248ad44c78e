"""A head that was trained elsewhere: built of what was sent, and judged on what it has not learned from.

Its figures and its comparison believe what it says it learned from; near-duplicates of that are left out with it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext_noop

from inference import artifacts, metrics
from inference.heads import Head
from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import active_classes
from labeling.jobs import told
from labeling.jobs.progress import JobError
from labeling.learning.compute.stores import open_store
from labeling.learning.head_manifest import Told
from labeling.learning.models import Part
from labeling.learning.training_set import TrainingClass, TrainingSet

logger = logging.getLogger(__name__)

#: Settled photos that a head must not have learned from, or nothing could be said of it.
LEAST_JUDGED = 10
_HASHES_AT_ONCE = 10_000

NO_HEAD = gettext_noop(
    "The files contradict each other, or hold no head of Hilltop's library. Save it with inference.artifacts.save_head, and "
    "send both files as they are."
)
OTHER = gettext_noop(
    "The head is of other classes or features than its manifest says. Send the manifest that was saved with it."
)
NO_PROBABILITIES = gettext_noop("What the head says of photos are no probabilities. Train it again.")
OUTDATED = gettext_noop(
    "The project's classes or backbones changed since the head was sent. Train it on today's."
)
MANY_QUESTIONS = gettext_noop(
    "The head answers several questions, and this project asks one. Train it on classes."
)
LACKS = gettext_noop(
    "The head does not know %(classes)s, of which photos are settled. Train it with all classes."
)
FEW = gettext_noop(
    "The head is to be judged on %(least)s settled photos that it has not learned from, and only %(n)s are left. Leave some "
    "out of its training."
)
told.know([LACKS, FEW])


def read(folder: Path, said: Told, part: Part) -> Head:
    try:
        head, _manifest = artifacts.load_head(folder, backbone_hash=part.backbone_hash)
    except Exception as error:  # whatever arrays of other shapes make a reader do
        logger.warning("a head that was sent cannot be read: %r", error)
        raise JobError(NO_HEAD) from error
    if head.link != "softmax":
        raise JobError(MANY_QUESTIONS)
    if head.n_features_in_ != part.dim or tuple(head.classes_.tolist()) != said.classes:
        raise JobError(OTHER)
    return head


def in_classes_of(head: Head, project: Project, found: TrainingSet) -> TrainingSet:
    """``found`` with the head's classes, in its columns' order."""
    known = {
        each.label_class.key: TrainingClass(each.label_class_id, each.label_class.key, each.name)
        for each in active_classes(project)
    }
    keys = head.classes_.tolist()
    if not known.keys() >= set(keys):
        raise JobError(OUTDATED)
    if lacking := [each.name for each in found.classes if each.key not in keys]:
        raise JobError(LACKS % {"classes": ", ".join(f"“{name}”" for name in lacking)})
    return replace(found, classes=tuple(known[key] for key in keys))


def not_seen(project: Project, found: TrainingSet, trained_on: Collection[str], part: Part) -> TrainingSet:
    """Strictly settled photos that the head does not name, nor looks like one that it names, and that are embedded."""
    named = set(trained_on)
    groups = _groups_of(project, sorted(named))
    strict = [
        each
        for each in found.examples
        if each.strict and each.sha256 not in named and each.twins_of not in groups
    ]
    lacking = set(open_store(part.backbone_hash, part.dim).missing([example.sha256 for example in strict]))
    left = tuple(each for each in strict if each.sha256 not in lacking)
    if len(left) < LEAST_JUDGED or len({each.class_id for each in left}) < 2:
        raise JobError(FEW % {"least": LEAST_JUDGED, "n": len(left)})
    return replace(found, examples=left)


def _groups_of(project: Project, hashes: list[str]) -> set[int]:
    groups: set[int] = set()
    for start in range(0, len(hashes), _HASHES_AT_ONCE):
        items = Item.objects.filter(
            project=project, twins_of__isnull=False, image__sha256__in=hashes[start : start + _HASHES_AT_ONCE]
        )
        groups.update(group for group in items.values_list("twins_of", flat=True) if group is not None)
    return groups


def probabilities(head: Head, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """(n, k), each row summing to 1."""
    try:
        proba = np.asarray(head.predict_proba(rows), dtype=np.float64)
    except (ValueError, IndexError, ArithmeticError) as error:
        logger.warning("a head that was sent cannot score: %r", error)
        raise JobError(NO_HEAD) from error
    if proba.shape != (len(rows), len(head.classes_)) or not (
        np.isfinite(proba).all() and (proba >= 0).all() and np.allclose(proba.sum(axis=1), 1.0, atol=1e-6)
    ):
        raise JobError(NO_PROBABILITIES)
    return proba


def figures(head: Head, judged: TrainingSet, proba: npt.NDArray[np.float64]) -> dict[str, Any]:
    keys = [each.key for each in judged.classes]
    columns = np.asarray(judged.columns)
    audit = np.array([example.audit for example in judged.examples], dtype=bool)
    chosen = head.settings()
    own = {
        "kind": head.kind,
        "settings": chosen,
        **{name: chosen.get(name) for name in ("strength", "temperature")},
    }
    return {
        "order": keys,
        "cross_validated": metrics.evaluate(proba, columns, keys) | own,
        "audit": metrics.evaluate(proba[audit], columns[audit], keys) if audit.any() else None,
        "backbones": None,
    }
