"""What a fresh head's page explains it by: learning curve and forecast, slices, influential and doubted labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import BigIntegerField, F, Func, Value
from django.utils.translation import gettext_noop

from inference import forecast, slices, subsampling
from inference.heads import LogisticHead
from inference.influence import leave_one_out, suspicious
from inference.slices import by_slice, quantile_slices
from inference.store import Vectors
from labeling.catalog.models import Item, Metadata, Project
from labeling.catalog.shots import folder_of, shot_type
from labeling.jobs.progress import Progress
from labeling.learning.training_set import TrainingSet

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

#: Photos of the pool on which a label's influence is measured.
POOL_SAMPLE = 400
#: Among more labels than this no single one moves the head, and the matrices grow with the square.
MOST_LABELS_FOR_INFLUENCE = 1_500
#: Labels, squared, times classes: one number each is held, and each class costs a factorisation of all labels.
MOST_NUMBERS_FOR_INFLUENCE = 10 * MOST_LABELS_FOR_INFLUENCE**2
LISTED = 12
#: Names of metadata by whose values figures are cut; more values of one than a list shows are cut by quantiles.
MOST_NAMES, MOST_SLICES = 10, slices.MOST
#: Doubted labels that are kept by name. All are counted.
DOUBTED = 200


@dataclass(frozen=True)
class Diagnosis:
    """The columns of :class:`~labeling.learning.models.Diagnostics`, rows as in the training set."""

    item_ids: list[int]
    truths: list[int]
    predicted: list[int]
    confidence: list[float]
    truth_probability: list[float]
    findings: dict[str, Any]


def diagnose(
    *,
    project: Project,
    learned: TrainingSet,
    X: Floats,
    head: Any,
    oof_proba: Floats,
    oof_size: float,
    store: Vectors,
    seed: int,
    progress: Progress,
) -> Diagnosis:
    """Everything that can be said of the head from its own labels. May raise what ``progress`` raises.

    Args:
        X: (n, d) embeddings of ``learned.examples``.
        oof_proba: (n, k) out-of-fold probabilities; ``oof_size`` labels are behind each, on average.
    """
    column = np.asarray(learned.columns)
    items = [example.item_id for example in learned.examples]
    predicted = oof_proba.argmax(axis=1)
    rows = np.arange(len(column))

    def report(done: int, total: int) -> None:
        progress.report(done, total, gettext_noop("Drawing the learning curve"))

    points = subsampling.curve(
        X,
        column,
        oof_proba,
        oof_size=oof_size,
        fit=_refit(head),
        seed=seed,
        groups=learned.groups,
        on_progress=report,
    )
    progress.report(0, 1, gettext_noop("Looking for doubtful labels"))
    doubted = suspicious(oof_proba, column)
    findings = {
        "curve": [asdict(point) for point in points],
        "forecast": forecast.forecast(points, labels=len(column)),
        "slices": _slices(items, predicted == column),
        "influential": _influential(project, items, X, column, head, store, seed),
        "suspicious": {
            "n": len(doubted),
            "listed": [
                {"item": items[each.row]} | {k: v for k, v in asdict(each).items() if k != "row"}
                for each in doubted[:DOUBTED]
            ],
        },
    }
    progress.check()
    return Diagnosis(
        item_ids=items,
        truths=column.tolist(),
        predicted=predicted.tolist(),
        confidence=np.round(oof_proba[rows, predicted], 5).tolist(),
        truth_probability=np.round(oof_proba[rows, column], 5).tolist(),
        findings=findings,
    )


def _refit(head: Any) -> subsampling.Fit:
    """Fits of the head's own kind; of a logistic head where that kind cannot be made anew from its parameters."""
    try:
        return subsampling.refit(head)
    except (TypeError, AttributeError):
        return subsampling.refit(_stand_in(int(head.n_features_in_)))


def _stand_in(features: int) -> LogisticHead:
    return LogisticHead(strengths=[30.0 / features], cv=2)


def _slices(item_ids: Sequence[int], right: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    known = {
        row[0]: row[1:]
        for row in Item.objects.filter(pk__in=item_ids).values_list(
            "pk",
            "source",
            "name",
            "image__format",
            "image__width",
            "image__height",
            "image__brightness",
            "image__sharpness",
        )
    }
    rows = [known[item] for item in item_ids]
    return by_slice(
        right,
        {
            "source": [row[0] or None for row in rows],
            "folder": [folder_of(row[1]) for row in rows],
            "shot": [shot_type(row[1]) for row in rows],
            "format": [row[2] for row in rows],
            "size": quantile_slices([min(row[3], row[4]) for row in rows]),
            "brightness": quantile_slices([row[5] for row in rows]),
            "sharpness": quantile_slices([row[6] for row in rows]),
            **_of_metadata(item_ids),
        },
    )


def _of_metadata(item_ids: Sequence[int]) -> dict[str, list[str | None]]:
    """Of the names that most photos have: each value, or a part of the distribution of many numbers."""
    data = dict(Metadata.objects.filter(item__in=item_ids).values_list("item_id", "data"))
    names = Counter(name for said in data.values() for name in said)
    found: dict[str, list[str | None]] = {}
    for name, _photos in sorted(names.items(), key=lambda each: (-each[1], each[0]))[:MOST_NAMES]:
        values = [data.get(item, {}).get(name) for item in item_ids]
        numbers = {value for value in values if value is not None}
        if len(numbers) > MOST_SLICES and not any(isinstance(value, str) for value in numbers):
            found[f"metadata:{name}"] = quantile_slices(values)
        else:
            found[f"metadata:{name}"] = [None if value is None else str(value) for value in values]
    return found


def _influential(
    project: Project,
    item_ids: Sequence[int],
    X: Floats,
    column: Ints,
    head: Any,
    store: Vectors,
    seed: int,
) -> dict[str, Any]:
    """{of (photos of the pool that were asked), listed: [{item, shift, flips, loss, leverage}], reason}."""
    n, classes = len(column), int(column.max(initial=0)) + 1
    if n > MOST_LABELS_FOR_INFLUENCE or n * n * classes > MOST_NUMBERS_FOR_INFLUENCE:
        return {"of": 0, "listed": [], "reason": "many"}
    pool = _pool(project, item_ids, store, seed)
    if not len(pool):
        return {"of": 0, "listed": [], "reason": "no_pool"}
    own = getattr(head, "kind", "logistic") == "logistic" and hasattr(head, "strength_")
    fitted = head if own else _stand_in(X.shape[1]).fit(X, column)
    found = leave_one_out(
        X,
        column,
        coef=fitted.coef_,
        # The classes' shares were added when it was fitted.
        intercept=fitted.intercept_ - fitted.temperature_ * fitted.offset_,
        strength=float(fitted.strength_),
        others=pool,
        balanced=fitted.balanced is not False,
    )
    order = np.lexsort((-found.shift, -found.flips))[:LISTED]
    return {
        "of": len(pool),
        "reason": "" if own else "stand_in",
        "listed": [
            {
                "item": item_ids[row],
                "shift": round(float(found.shift[row]), 5),
                "flips": int(found.flips[row]),
                "loss": round(float(found.loss[row]), 6),
                "leverage": round(float(found.leverage[row]), 4),
            }
            for row in order.tolist()
        ],
    }


def _pool(project: Project, item_ids: Sequence[int], store: Vectors, seed: int) -> Floats:
    """Up to ``POOL_SAMPLE`` embeddings of photos that are not among the labels.

    Not along the audit's keys, by which photos that came late lie behind those that were drawn.
    """
    shuffled = Func(F("pk"), Value(seed), function="hashint8extended", output_field=BigIntegerField())
    items = Item.objects.filter(project=project).order_by(shuffled)
    rows = items.values_list("pk", "image__sha256")[: POOL_SAMPLE + len(item_ids)]
    trained = set(item_ids)
    hashes = [sha256 for pk, sha256 in rows if pk not in trained]
    lacking = set(store.missing(hashes))
    return store.rows([sha256 for sha256 in hashes if sha256 not in lacking][:POOL_SAMPLE])
