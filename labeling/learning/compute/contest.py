"""The gate of domain backbones: the same labels, the same folds, and a candidate is taken only if held-out labels gain.

Every backbone gets a head of its own, chosen and cross-validated as the project's is. The one with the least mean
out-of-fold log-loss is taken; the project's own where none is lower. No margin of a standard error is asked for: an adapted
backbone is as likely to be the better one beforehand, and on ELPV, where it is, such a margin turned down half of
the gains (docs/log.md, 2026-11-24). The difference's error is reported beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext_noop

from inference import metrics
from inference.backbones import UnknownBackbone, WeightsError
from inference.train import TrainedHead
from labeling.catalog.models import Project
from labeling.jobs.progress import Cancelled, Interrupted, Progress, Superseded
from labeling.learning import domain_backbones
from labeling.learning.compute.embedding import Tally, embed_missing
from labeling.learning.compute.entries import Entry
from labeling.learning.compute.stores import device, embedder_for, load_backbone, store_of
from labeling.learning.models import DomainBackbone
from labeling.learning.training_set import TrainingSet

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Proba = npt.NDArray[np.float64]
#: An entry, its backbone's name, and why there is none.
_Made = tuple[Entry | None, str, str]


def compete(
    *,
    project: Project,
    reference: Entry,
    learned: TrainingSet,
    train: Callable[[Floats], TrainedHead],
    seed: int,
    progress: Progress,
    tune: Callable[[], _Made] | None = None,
) -> tuple[Entry, dict[str, Any] | None]:
    """The entry to make the version of, and why, JSON-ready; no report where there was no candidate.

    ``train`` must fold the rows as it did for the reference; ``tune`` makes a fine-tuned entry in the same folds. The
    report: ``reference`` and ``chosen`` (names), ``judged``
    (names), and ``candidates`` [{name, method, log_loss, accuracy, difference and error (of the log-loss, against the
    reference), paired (accuracies, see ``inference.metrics.paired_difference``), note}], the reference first.
    """
    found = domain_backbones.candidates(project)
    if not found and tune is None:
        return reference, None
    y = np.asarray(learned.columns)
    rows: list[dict[str, Any]] = [
        {
            "name": reference.backbone.name,
            "method": "",
            "log_loss": float(_losses(reference.trained.oof_proba, y).mean()),
            "accuracy": float((reference.trained.oof_proba.argmax(axis=1) == y).mean()),
            "difference": 0.0,
            "error": 0.0,
            "paired": None,
            "note": "reference",
        }
    ]
    best, best_loss = reference, np.inf
    makers: list[tuple[str, str, Callable[[], _Made]]] = [
        (each.method, each.name, partial(_entry, each, learned, train, progress)) for each in found
    ]
    if tune is not None:
        makers.append(("finetune", "", tune))
    for method, name, make in makers:
        progress.report(0, 1, gettext_noop("Judging the adapted backbone"))
        entry, given, note = _made(make, name or method)
        if entry is None:
            rows.append({"name": name or given, "method": method, "note": note})
            continue
        row = judge(reference.trained.oof_proba, entry.trained.oof_proba, y, seed=seed)
        rows.append({"name": given, "method": method, **row})
        if row["note"] == "gains" and row["log_loss"] < best_loss:
            best, best_loss = entry, row["log_loss"]
    return best, {
        "reference": reference.backbone.name,
        "chosen": best.backbone.name,
        "judged": [row["name"] for row in rows[1:] if "log_loss" in row],
        "candidates": rows,
    }


def _made(make: Callable[[], _Made], name: str) -> _Made:
    """What ``make`` makes, or why there is none: a training never fails for want of a candidate."""
    try:
        entry, given, note = make()
    except (Cancelled, Interrupted, Superseded):  # about the job, not about the candidate
        raise
    except Exception as error:
        logger.exception("%s cannot compete", name)
        return None, name, f"it failed unexpectedly ({type(error).__name__}); the worker's log says more"
    if entry is not None and not np.isfinite(entry.trained.oof_proba).all():
        return None, given, "its probabilities are no numbers"
    return entry, given, note


def judge(
    reference: Proba, candidate: Proba, y: npt.NDArray[np.integer[Any]], *, seed: int
) -> dict[str, Any]:
    """How a candidate's out-of-fold probabilities (n, k) compare with the reference's; ``note`` is "gains" or "no gain"."""
    difference = _losses(candidate, y) - _losses(reference, y)
    mean = float(difference.mean())
    error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    return {
        "log_loss": float(_losses(candidate, y).mean()),
        "accuracy": float((candidate.argmax(axis=1) == y).mean()),
        "difference": mean,
        "error": error,
        "paired": metrics.paired_difference(reference, candidate, y, seed=seed),
        "note": "gains" if mean < 0.0 else "no gain",
    }


def _losses(proba: Proba, y: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float64]:
    return np.asarray(-np.log(np.clip(proba[np.arange(len(y)), y], 1e-12, 1.0)))


def _entry(
    candidate: DomainBackbone,
    learned: TrainingSet,
    train: Callable[[Floats], TrainedHead],
    progress: Progress,
) -> _Made:
    """(entry, name, note): the candidate's entry, or why it has none."""
    try:
        backbone = load_backbone(candidate.name)
    except (UnknownBackbone, WeightsError) as error:
        logger.warning("%s cannot compete: %s", candidate.name, error)
        return None, candidate.name, str(error)
    if backbone.content_hash != candidate.content_hash:
        return None, candidate.name, "its files are not those that were registered"
    store = store_of(backbone)
    hashes = [example.sha256 for example in learned.examples]
    missing = store.missing(hashes)
    if missing:
        tally = Tally()
        embed_missing(
            store=store,
            embedder=embedder_for(candidate.name, device()),
            hashes=missing,
            tally=tally,
            report=lambda: progress.report(tally.done, len(missing), gettext_noop("Embedding photos")),
        )
        if tally.failed:
            return None, candidate.name, f"{tally.failed} photos cannot be embedded with it"
    X = store.rows(hashes)
    return Entry(backbone, store, X, train(X)), candidate.name, ""
