"""The job ``train``: from the ground truths of the moment to a model version, written at the end, at once."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import numpy as np
from django.utils.translation import gettext_noop

from inference import backbones, metrics, train
from inference.heads import TooFewLabels
from inference.store import EmbeddingStore
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.jobs.models import Job
from labeling.jobs.progress import JobError, Progress
from labeling.learning import selectors, services
from labeling.learning.compute import artifact
from labeling.learning.compute.comparison import compare_with_champion
from labeling.learning.compute.contest import compete
from labeling.learning.compute.diagnosis import diagnose
from labeling.learning.compute.embedding import Tally, embed_missing, project_of
from labeling.learning.compute.entries import Entry
from labeling.learning.compute.finetuning import fine_tuned_entry, forget_losers, forget_own
from labeling.learning.compute.stores import device, embedder_for, store_of
from labeling.learning.compute.storing import Made, store_version
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import LEAST_A_CLASS, TRAINER, TrainingSet, training_set
from labeling.refusals import Refused


def train_project(progress: Progress) -> dict[str, Any]:
    """Train, judge, compare with the champion, store; promote when the project does that by itself.

    A second run of the same job (its worker was killed) finds the version that the first one stored, and goes
    on from there. Returns {model, ground_truths, accuracy, audit, unusable, promoted}.
    """
    project = project_of(progress)
    made = ModelVersion.objects.filter(job=progress.job).first() or _made(progress, project)
    champion = selectors.champion(project)
    if made.backbone != project.backbone_name or (champion and champion.backbone_hash != made.backbone_hash):
        # Photos may lack what this version's scores are made of: those that came since it was adapted, or all, where a
        # new release decodes photos otherwise.
        services.request_embedding(project=project)
    promoted = False
    if progress.args.get("auto"):
        promoted = _promote_if_allowed(project, made)
    return {
        "model": made.number,
        "ground_truths": len(made.snapshot.ground_truth_ids),
        "accuracy": made.metrics["cross_validated"]["accuracy"],
        "audit": made.metrics["audit"]["accuracy"] if made.metrics["audit"] else None,
        "unusable": made.manifest["unusable_photos"],
        "promoted": promoted,
    }


def _made(progress: Progress, project: Project) -> ModelVersion:
    """``_train``, and nothing left on disk of a fine-tuning that no version stands on."""
    try:
        made = _train(progress, project)
    except Exception:
        forget_own(progress.job)
        raise
    forget_losers(progress.job, kept=[part.backbone for part in made.parts])
    return made


def _train(progress: Progress, project: Project) -> ModelVersion:
    seed = int(progress.args.get("seed", 0))
    found = training_set(project)
    progress.report(0, max(1, len(found.examples)), gettext_noop("Reading embeddings"))
    own = _backbone_of(project)
    store = store_of(own)
    tally = _embed_what_is_missing(store, found, project, progress)
    learned = found.without(tally.failed_hashes)
    _refuse_too_few(learned)
    entry, contest = _best_entry(progress, project, own, store, learned, seed)
    progress.check()
    trained = entry.trained
    figures = _figures(learned, entry, contest, seed)
    diagnosis = diagnose(
        project=project,
        learned=learned,
        X=entry.X,
        head=trained.head,
        oof_proba=trained.oof_proba,
        oof_size=trained.oof_size,
        store=entry.store,
        seed=seed,
        progress=progress,
    )
    progress.report(0, 1, gettext_noop("Comparing with the champion"))
    comparison = _compared(project, learned, entry, seed)
    relative = f"{project.slug}/{uuid.uuid4()}"
    manifest = artifact.save(
        relative,
        trained.head,
        artifact.OutOfFold(
            np.array([example.item_id for example in learned.examples], dtype=np.int64), trained.oof_proba
        ),
        _provenance(progress.job, project, entry, contest, learned, tally, seed),
    )
    made: ModelVersion | None = None
    try:
        progress.check()  # another worker may have taken the job up, and made the version
        made = store_version(
            Made(relative, manifest, figures, comparison, diagnosis),
            job=progress.job,
            project=project,
            learned=learned,
            ground_truth_ids=[example.ground_truth_id for example in learned.examples],
            tell={"kind": "model_trained", "ground_truths": len(learned.examples)},
        )
    finally:
        if made is None or made.artifact != relative:
            artifact.discard(relative)
    return made


def _backbone_of(project: Project) -> backbones.Backbone:
    try:
        return backbones.load(project.backbone_name)
    except (backbones.UnknownBackbone, backbones.WeightsError) as error:
        raise JobError(f"{error} Choose another backbone in the project's settings.") from error


def _embed_what_is_missing(
    store: EmbeddingStore, found: TrainingSet, project: Project, progress: Progress
) -> Tally:
    """Photos settled a moment ago may have come a moment before: train does not wait for the embedding job."""
    tally = Tally()
    missing = store.missing([example.sha256 for example in found.examples])
    if missing:
        embed_missing(
            store=store,
            embedder=embedder_for(project.backbone_name, device()),
            hashes=missing,
            tally=tally,
            report=lambda: progress.report(tally.done, len(missing), gettext_noop("Embedding photos")),
        )
    return tally


def _refuse_too_few(learned: TrainingSet) -> None:
    if sum(count >= LEAST_A_CLASS for count in learned.counts.values()) < 2:
        raise JobError(
            f"Training needs at least two classes with {LEAST_A_CLASS} ground truths each. There are now "
            f"{_told(learned)}. Label more photos of the others, or settle open reviews, then train again."
        )
    if learned.groups and len(set(learned.groups)) < 2:
        raise JobError(
            "All settled photos are near-duplicates of each other. Label other photos, then train again."
        )


def _best_entry(
    progress: Progress,
    project: Project,
    own: backbones.Backbone,
    store: EmbeddingStore,
    learned: TrainingSet,
    seed: int,
) -> tuple[Entry, dict[str, Any] | None]:
    """The backbone whose head wins on the labels, with that head; and how the others did, where there were others."""
    keys = [each.key for each in learned.classes]
    labels = [keys[column] for column in learned.columns]

    def fit(rows: Any) -> train.TrainedHead:
        return train.train_head(
            rows,
            labels,
            keys,
            seed=seed,
            groups=learned.groups,
            on_progress=lambda done, total: progress.report(
                done, total, gettext_noop("Training and cross-validating")
            ),
        )

    X = store.rows([example.sha256 for example in learned.examples])
    try:
        return compete(
            project=project,
            reference=Entry((own,), store, X, fit(X)),
            learned=learned,
            train=fit,
            seed=seed,
            progress=progress,
            tune=partial(fine_tuned_entry, progress=progress, project=project, learned=learned, seed=seed)
            if progress.args.get("finetune")
            else None,
        )
    except TooFewLabels as error:
        raise JobError(f"{error} Label more photos, then train again.") from error


def _figures(learned: TrainingSet, entry: Entry, contest: dict[str, Any] | None, seed: int) -> dict[str, Any]:
    trained = entry.trained
    keys = [each.key for each in learned.classes]
    audit = np.array([example.audit for example in learned.examples], dtype=bool)
    judging = np.array(learned.judging, dtype=bool)
    if entry.judged is not None:
        audit, judging = audit & entry.judged, judging & entry.judged
    validated = trained.metrics
    if not judging.all():
        # What a model had a part in settling says that models agree with it.
        columns = np.asarray(learned.columns)
        validated = validated | metrics.evaluate(
            trained.oof_proba[judging], columns[judging], keys, seed=seed
        )
    return {
        # PostgreSQL keeps the keys of an object in an order of its own; this is that of all columns.
        "order": keys,
        "cross_validated": validated,
        "audit": metrics.evaluate(
            trained.oof_proba[audit], np.asarray(learned.columns)[audit], keys, seed=seed
        )
        if audit.any()
        else None,
        "backbones": contest,
    }


def _compared(project: Project, learned: TrainingSet, entry: Entry, seed: int) -> dict[str, Any] | None:
    champion = selectors.champion(project)
    if champion is None:
        return None
    return compare_with_champion(
        champion=champion,
        learned=learned,
        challenger=entry.trained.oof_proba,
        judged=entry.judged,
        resolution=class_resolution(project),
        seed=seed,
    )


def _provenance(
    job: Job,
    project: Project,
    entry: Entry,
    contest: dict[str, Any] | None,
    learned: TrainingSet,
    tally: Tally,
    seed: int,
) -> dict[str, Any]:
    judged = set(contest["judged"]) if contest else set()
    return {
        "project": project.slug,
        "job": str(job.pk),
        "backbone": entry.name,
        "backbone_hash": entry.content_hash,
        "backbones": entry.parts(),
        "base": project.backbone_name,
        # Those of the project that had a head: one whose weights were gone may come into the next training.
        "bases": [project.backbone_name, *(each for each in project.backbone_names[1:] if each in judged)],
        "seed": seed,
        "trainer": TRAINER,
        "device": "cpu",  # heads are fitted in float64 on the CPU, wherever the photos were embedded
        "snapshot_digest": learned.digest,
        "ground_truths": len(learned.examples),
        "unusable_photos": tally.failed,
    }


def _promote_if_allowed(project: Project, made: ModelVersion) -> bool:
    """Promote when the project does that by itself, and the version is not worse than the champion of now."""
    if not project.promote_automatically:
        return False
    champion = selectors.champion(project)
    if champion is not None:
        if champion.pk == made.pk:
            return True
        compared = made.comparison
        # Somebody promoted another version meanwhile: the comparison is not about today's champion.
        if compared is None or compared["champion"] != champion.number or not compared["not_worse"]:
            return False
        if not compared.get("enough"):
            return False
        reason = (
            f"By itself: not worse than version {champion.number} "
            f"({compared['all']['difference']:+.3f} accuracy on {compared['all']['n']} photos)"
        )
    else:
        reason = "By itself: the first version"
    try:
        services.promote(model_version=made, by=None, reason=reason)
    except Refused:
        return False
    return True


def _told(learned: TrainingSet) -> str:
    told = ", ".join(
        f"{count} of “{each.name}”"
        for each, count in zip(learned.classes, learned.counts.values(), strict=True)
    )
    return told or "none"
