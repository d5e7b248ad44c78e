"""Champion against challenger on the same photos, each judged only where its own training had no part.

Photos that trained the champion are judged by its stored out-of-fold probabilities, all others by its head as
it is; the challenger by its out-of-fold probabilities throughout. A photo for which
that cannot be had is left out, as is one that may judge no model (``TrainingSet.judging``), and one that was settled before
a classifier came on which the champion stands: that may know the label by heart, which no fold takes out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.metrics import paired_difference
from labeling.catalog.models import Item
from labeling.jobs.progress import JobError
from labeling.learning import domain_backbones
from labeling.learning.compute import artifact
from labeling.learning.compute.classes import translate
from labeling.learning.compute.contest import settled_after
from labeling.learning.compute.stores import vectors_of
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import TrainingSet, can_judge
from labeling.truth.models import GroundTruth

logger = logging.getLogger(__name__)

#: Right on one photo in a hundred less still counts as not worse: that much is noise, and labels count.
TOLERANCE = 0.01


def compare_with_champion(
    *,
    champion: ModelVersion,
    learned: TrainingSet,
    challenger: npt.NDArray[np.float64],
    resolution: Mapping[int, int | None],
    seed: int,
    judged: npt.NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """JSON for ``ModelVersion.comparison``.

    Args:
        learned: what the challenger learned from; its rows and columns are those of ``challenger``.
        challenger: (n, k) out-of-fold probabilities.
        judged: (n,) which rows may judge the challenger; all if None.

    Returns:
        ``champion`` (number), ``all`` and ``audit`` (``paired_difference``, a is the champion; ``audit`` only
        over randomly drawn photos, ``None`` without any), ``new`` (photos the champion never learned from),
        ``left_out``, ``not_worse``, and ``enough``: so many photos say it that a version may be promoted by them. With
        ``unreadable`` (why), on no photo and never not worse, when the champion's files are gone or damaged: a training
        must not fail for want of them, as training is the way out.
    """
    try:
        honest, champions = _champion_out_of_sample(champion, learned, resolution)
    except JobError as error:
        logger.warning("version %d is compared with nothing: %s", champion.number, error)
        nobody = np.zeros((0, 1))
        return {
            "champion": champion.number,
            "all": paired_difference(nobody, nobody, np.zeros(0, dtype=np.int64), seed=seed),
            "audit": None,
            "new": 0,
            "left_out": len(learned.examples),
            "not_worse": False,
            "enough": False,
            "unreadable": str(error),
        }
    if judged is not None:
        honest = honest & judged
    for given in domain_backbones.brought_in_under(champion):
        honest = honest & settled_after(given, learned)
    rows = np.flatnonzero(honest & np.array(learned.judging, dtype=bool))
    y = np.asarray(learned.columns)[rows]
    # The spare column takes what the challenger's classes cannot express: never right, never dropped.
    a = champions[rows]
    b = np.column_stack([challenger[rows], np.zeros(len(rows))])
    audit = np.array([example.audit for example in learned.examples], dtype=bool)[rows]
    everything = paired_difference(a, b, y, seed=seed)
    trained_on = set(champion.snapshot.ground_truth_ids)
    new = sum(learned.examples[row].ground_truth_id not in trained_on for row in rows)
    return {
        "champion": champion.number,
        "all": everything,
        "audit": paired_difference(a[audit], b[audit], y[audit], seed=seed) if audit.any() else None,
        "new": new,
        "left_out": len(learned.examples) - len(rows),
        "not_worse": len(rows) > 0 and everything["difference"] >= -TOLERANCE and everything["high"] >= 0.0,
        "enough": can_judge([learned.examples[row] for row in rows]),
    }


def _champion_out_of_sample(
    champion: ModelVersion, learned: TrainingSet, resolution: Mapping[int, int | None]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """(n,) which examples can be judged honestly, and (n, k + 1) the champion's probabilities for them.

    Raises :class:`JobError` when the champion's files are gone or damaged.
    """
    examples = learned.examples
    target = [each.id for each in learned.classes]
    proba = np.zeros((len(examples), len(champion.classes)))
    judged = np.zeros(len(examples), dtype=bool)

    items = np.array([example.item_id for example in examples], dtype=np.int64)
    stored = artifact.load_out_of_fold(champion)
    seen_items = _items_of_snapshot(champion)
    seen = np.isin(items, seen_items)
    if stored is None and len(seen_items):
        # On the few photos that came since, it would be judged alone, and a chance among them would promote.
        raise JobError(
            f"Out-of-fold probabilities of model version {champion.number} are missing or damaged."
        )
    if stored is not None and len(stored.item_ids):
        order = np.argsort(stored.item_ids, kind="stable")
        at = np.searchsorted(stored.item_ids[order], items).clip(max=len(order) - 1)
        found = stored.item_ids[order][at] == items
        proba[found] = stored.proba[order][at[found]]
        judged |= found

    head = artifact.load(champion)
    store = vectors_of(champion)
    fresh = np.flatnonzero(~seen & ~judged)
    lacking = set(store.missing([examples[row].sha256 for row in fresh]))
    fresh = np.array([row for row in fresh if examples[row].sha256 not in lacking], dtype=np.int64)
    if len(fresh):
        proba[fresh] = head.predict_proba(store.rows([examples[row].sha256 for row in fresh]))
        judged[fresh] = True
    return judged, translate(proba, champion.classes, target, resolution)


def _items_of_snapshot(model_version: ModelVersion) -> npt.NDArray[np.int64]:
    """Near-duplicates of what it learned from among them: of those, too, it is right by heart."""
    learned = GroundTruth.objects.filter(pk__in=model_version.snapshot.ground_truth_ids)
    items = set(learned.values_list("item_id", flat=True))
    groups = learned.filter(item__twins_of__isnull=False).values_list("item__twins_of")
    items |= set(Item.objects.filter(twins_of__in=groups).values_list("pk", flat=True))
    return np.fromiter(items, dtype=np.int64)
