"""The gate of backbones: the same labels, the same folds, and what is not the project's own is taken only if it gains.

Every backbone of the project, and every one that was adapted from it, gets a head of its own, chosen and cross-validated as
the project's is. Then the best of each of the project's backbones are fused: the mean of their calibrated logits. The one
with the least mean out-of-fold log-loss is taken; the project's own where none is lower. No margin of a standard error is
asked for: an adapted backbone is as likely to be the better one beforehand, and on ELPV, where it is, such a margin turned
down half of the gains (docs/log.md, 2026-11-24). The difference's error is reported beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop

from inference import metrics
from inference.backbones import UnknownBackbone, WeightsError
from inference.train import TrainedHead
from labeling.catalog.models import Item, Project
from labeling.jobs.progress import Cancelled, Interrupted, Progress, Superseded, of
from labeling.learning import domain_backbones
from labeling.learning.compute.embedding import Tally, embed_missing
from labeling.learning.compute.entries import Entry, fused
from labeling.learning.compute.stores import device, embedder_for, load_backbone, store_of
from labeling.learning.models import FUSED_BY, ModelVersion
from labeling.learning.training_set import TrainingSet, can_judge
from labeling.truth.models import GroundTruth

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Proba = npt.NDArray[np.float64]
#: An entry, its backbone's name, and why there is none.
_Made = tuple[Entry | None, str, str]


@dataclass(frozen=True)
class _Entrant:
    """``base``: the project's backbone that it is, or was made from. ``name`` is empty until it is made."""

    base: str
    method: str
    name: str
    make: Callable[[], _Made]
    #: (n,) the rows that may judge it; of an entrant that learned from nothing but this training's folds, all.
    judged: npt.NDArray[np.bool_]


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
    report: ``reference`` and ``chosen`` (names), ``judged`` (names), and ``candidates`` [{name, method, log_loss, accuracy,
    difference and error (of the log-loss, against the reference), paired (accuracies, see
    ``inference.metrics.paired_difference``), note}], the reference first. ``method`` is empty for the project's backbones.

    A classifier that was brought in, and what is fused with it, is judged on photos that were first settled after it came,
    and so is the reference beside it: its weights may hold the others' labels by heart, which no fold takes out. Where not
    all came after it, and those that did are too few (``training_set.can_judge``), it is left out.
    """
    entrants = _entrants(project, learned, train, progress, tune)
    if not entrants:
        return reference, None
    y = np.asarray(learned.columns)
    own_loss = float(_losses(reference.trained.oof_proba, y).mean())
    rows: list[dict[str, Any]] = [
        {
            "name": reference.name,
            "method": "",
            "log_loss": own_loss,
            "accuracy": float((reference.trained.oof_proba.argmax(axis=1) == y).mean()),
            "difference": 0.0,
            "error": 0.0,
            "paired": None,
            "note": "reference",
        }
    ]
    everything = np.ones(len(y), dtype=np.bool_)
    best, best_judged, chosen = reference, everything, reference.name
    of_base = {project.backbone_name: (own_loss, reference, everything)}

    def enter(entrant: _Entrant) -> None:
        nonlocal best, best_judged, chosen
        entry, given, note = _made(entrant.make, entrant.name or entrant.method)
        if entry is None:
            rows.append({"name": entrant.name or given, "method": entrant.method, "note": note})
            return
        own, theirs = entrant.judged, entry.trained.oof_proba
        row = judge(reference.trained.oof_proba[own], theirs[own], y[own], seed=seed)
        rows.append({"name": given, "method": entrant.method, **row})
        loss = row["log_loss"]
        if entrant.base not in of_base or loss < of_base[entrant.base][0]:
            of_base[entrant.base] = (loss, entry, own)
        both = own & best_judged
        lower = _losses(theirs[both], y[both]).mean() < _losses(best.trained.oof_proba[both], y[both]).mean()
        if row["note"] == "gains" and lower:
            best, best_judged, chosen = entry, own, given

    for entrant in entrants:
        progress.report(0, 1, gettext_noop("Comparing backbones"))
        enter(entrant)
    if len(of_base) > 1:
        judged = np.logical_and.reduce([may for _loss, _one, may in of_base.values()])
        enter(_fusion([entry for _loss, entry, _may in of_base.values()], learned, judged, seed))
    return replace(best, judged=best_judged), {
        "reference": reference.name,
        "chosen": chosen,
        "judged": [row["name"] for row in rows[1:] if "log_loss" in row],
        "candidates": rows,
    }


def _entrants(
    project: Project,
    learned: TrainingSet,
    train: Callable[[Floats], TrainedHead],
    progress: Progress,
    tune: Callable[[], _Made] | None,
) -> list[_Entrant]:
    everything = np.ones(len(learned.examples), dtype=np.bool_)

    def entrant(
        base: str,
        method: str,
        name: str,
        content_hash: str | None,
        judged: npt.NDArray[np.bool_] = everything,
    ) -> _Entrant:
        make = partial(_entry, name, content_hash, learned, train, progress)
        return _Entrant(base, method, name, make, judged)

    found = [entrant(name, "", name, None) for name in project.backbone_names[1:]]
    found += [
        entrant(each.base, each.method, each.name, each.content_hash)
        for each in domain_backbones.candidates(project)
    ]
    if (given := domain_backbones.brought_in(project)) is not None:
        judged = settled_after(given, learned)
        may = np.flatnonzero(judged & np.array(learned.judging, dtype=np.bool_))
        if judged.all() or can_judge([learned.examples[row] for row in may]):
            found.append(entrant(given.backbone, "", given.backbone, given.backbone_hash, judged))
    if tune is not None:
        found.append(_Entrant(project.backbone_name, domain_backbones.FINE_TUNED, "", tune, everything))
    return found


def settled_after(version: ModelVersion, learned: TrainingSet) -> npt.NDArray[np.bool_]:
    """(n,) which examples had no ground truth when the version came, nor a near-duplicate that had one."""
    before = Item.objects.filter(
        Exists(GroundTruth.objects.filter(item=OuterRef("pk"), created_at__lte=version.created_at)),
        project=version.project_id,
    )
    known = set(before.values_list("pk", flat=True))
    groups = set(before.filter(twins_of__isnull=False).values_list("twins_of", flat=True))
    return np.array(
        [each.item_id not in known and each.twins_of not in groups for each in learned.examples],
        dtype=np.bool_,
    )


def _fusion(entries: list[Entry], learned: TrainingSet, judged: npt.NDArray[np.bool_], seed: int) -> _Entrant:
    keys = [each.key for each in learned.classes]
    labels = [keys[column] for column in learned.columns]
    name = FUSED_BY.join(entry.name for entry in entries)
    return _Entrant(
        name, domain_backbones.FUSED, name, lambda: (fused(entries, labels, seed=seed), name, ""), judged
    )


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
    name: str,
    content_hash: str | None,
    learned: TrainingSet,
    train: Callable[[Floats], TrainedHead],
    progress: Progress,
) -> _Made:
    """(entry, name, note): the backbone's entry, or why it has none. ``content_hash``: what it must still have, if any."""
    try:
        backbone = load_backbone(name)
    except (UnknownBackbone, WeightsError) as error:
        logger.warning("%s cannot compete: %s", name, error)
        return None, name, str(error)
    if content_hash not in (None, backbone.content_hash):
        return None, name, "its files are not those that were registered"
    store = store_of(backbone)
    hashes = [example.sha256 for example in learned.examples]
    missing = store.missing(hashes)
    if missing:
        tally = Tally()
        embed_missing(
            store=store,
            embedder=embedder_for(name, device()),
            hashes=missing,
            tally=tally,
            report=lambda: progress.report(
                tally.done, len(missing), of(gettext_noop("Embedding photos"), name)
            ),
        )
        if tally.failed:
            return None, name, f"{tally.failed} photos cannot be embedded with it"
    X = store.rows(hashes)
    return Entry((backbone,), store, X, train(X)), name, ""
