"""Fine-tuning as an entry of the contest: last layers trained on the labels, judged in the frozen heads' folds.

Only where somebody asked for it. What is tuned stays a candidate of its own training: it has seen labels, so that no later
training could judge it honestly on the same photos. So one that its training did not take is of no use to anybody, and
is removed.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext_noop

from inference import backbones, domain, finetune, metrics, selfsup
from inference.backbones.names import parse
from inference.selfsup.squares import decoded_squares
from inference.train import TrainedHead
from labeling.catalog import storage
from labeling.catalog.models import Image, Project
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.learning import domain_backbones
from labeling.learning.compute.embedding import Tally, embed_missing
from labeling.learning.compute.entries import Entry
from labeling.learning.compute.stores import (
    backbones_folder,
    device,
    embedder_for,
    forget_vectors,
    load_backbone,
    store_of,
)
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import TrainingSet
from labeling.store.folders import BACKBONES

logger = logging.getLogger(__name__)

METHOD = domain_backbones.FINE_TUNED


def one_view(backbone: str) -> str:
    """The registry's name of the same network and features without tiles or mirror images."""
    return str(replace(parse(backbone), tiles=0, flips=""))


def fine_tuned_entry(
    *, progress: Progress, project: Project, learned: TrainingSet, seed: int
) -> tuple[Entry | None, str, str]:
    """(entry, name, note): the tuned backbone with its own head, or why there is none."""
    hashes = [example.sha256 for example in learned.examples]
    if len(hashes) > domain_backbones.MOST_TO_FINE_TUNE:
        return None, METHOD, f"more than {domain_backbones.MOST_TO_FINE_TUNE} ground truths"
    keys = [each.key for each in learned.classes]
    columns = np.asarray(learned.columns)
    base = backbones.load(one_view(project.backbone_name))
    # A job that is run again begins anew under a name of its own: a stored backbone is never overwritten.
    folder = backbones_folder() / f"{_prefix(progress.job)}{progress.job.attempts}"
    place = folder.with_name(f".{folder.name}.state")
    try:
        squares, kept = decoded_squares(
            place,
            base,
            hashes,
            _bytes_of,
            threads=2,
            max_pixels=settings.INTAKE_MAX_PIXELS,
        )
        if kept != hashes:
            return None, METHOD, f"{len(hashes) - len(kept)} photos cannot be read"
        tuned = finetune.fine_tune(
            base,
            squares,
            columns,
            groups=learned.groups,
            recipe=finetune.Recipe(
                seed=seed,
                epochs=settings.FINE_TUNE_EPOCHS,
                augmentation=selfsup.Augmentation(flips=str(progress.args.get("flips", ""))),
            ),
            device=device(),
            on_progress=lambda done, total: progress.report(done, total, gettext_noop("Fine-tuning")),
        )
    except backbones.WeightsError as error:  # it came as a graph
        return None, METHOD, str(error)
    except OSError as error:
        return None, METHOD, f"a photo's file cannot be read: {error}"
    except finetune.Diverged as error:
        return None, METHOD, str(error)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    domain.save(
        folder,
        base=base.name,
        weights=tuned.state,
        told={"method": METHOD, "project": project.slug, "job": str(progress.job.pk), "seed": seed},
    )
    BACKBONES.put(folder.name)
    backbone = load_backbone(f"domain:{folder.name}")
    store = store_of(backbone)
    tally = Tally()
    embed_missing(
        store=store,
        embedder=embedder_for(backbone.name, device()),
        hashes=store.missing(hashes),
        tally=tally,
        report=lambda: progress.report(tally.done, len(hashes), gettext_noop("Embedding photos")),
    )
    return (
        Entry((backbone,), store, store.rows(hashes), _told(tuned, keys, columns, seed)),
        backbone.name,
        "",
    )


def forget_losers(job: Job, *, kept: Collection[str]) -> None:
    """Remove what this training tuned, in any attempt, but for the backbones ``kept``: folder, vectors, exported network."""
    for name in BACKBONES.names():
        if name.startswith(_prefix(job)) and f"domain:{name}" not in kept:
            _forget(name)


def forget_own(job: Job) -> None:
    """Remove what this attempt tuned: no version came of it. Another attempt's may be a version's by now."""
    name = f"{_prefix(job)}{job.attempts}"
    if name in BACKBONES.names():
        _forget(name)


def _bytes_of(sha256: str) -> bytes:
    """A photo's file; one that is lost or damaged counts as one that cannot be decoded."""
    try:
        return storage.original(Image.objects.get(sha256=sha256))
    except OSError:
        return b""


def _prefix(job: Job) -> str:
    return f"p{job.project_id}-{job.pk.hex[:16]}-t"


def _forget(name: str) -> None:
    try:
        backbone = load_backbone(f"domain:{name}")
    except (backbones.UnknownBackbone, backbones.WeightsError) as error:
        logger.warning("%s cannot be read, so its vectors stay: %s", name, error)
    else:
        # The same labels and seed tune the same network: another version may stand on its vectors.
        if not ModelVersion.objects.on_backbone(backbone.content_hash).exists():
            forget_vectors(backbone.content_hash)
    BACKBONES.drop(name)


def _told(tuned: finetune.FineTuned, keys: list[str], columns: Any, seed: int) -> TrainedHead:
    """As ``inference.train.train_head`` tells of a frozen backbone's head."""
    head = tuned.head
    present = tuple(keys[int(c)] for c in head.classes_)
    inner = np.searchsorted(head.classes_, columns)
    head.classes_ = np.asarray(present)
    choice = {"kind": head.kind, "candidates": [], "by": "fine-tuning"}
    report = metrics.evaluate(tuned.oof_proba, inner, present, seed=seed) | {
        "kind": head.kind,
        "settings": head.settings(),
        "strength": head.settings()["strength"],
        "temperature": head.settings()["temperature"],
        "choice": choice,
    }
    return TrainedHead(head, present, report, tuned.oof_proba, head.out_of_fold_size_, choice)
