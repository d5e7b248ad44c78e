"""Embed photos that the store lacks. Safe to stop and run again at any moment: nothing stored is redone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_noop

from inference import backbones
from inference.embed import Embedder
from inference.store import EmbeddingStore
from labeling.catalog import storage
from labeling.catalog.models import Image, Item, Project
from labeling.jobs.runner import JobError, Progress
from labeling.learning import events
from labeling.learning.compute.stores import device, embedder_for, store_of, tidy

#: Photos taken up, and vectors written, at once: about a second's work on two cores.
CHUNK = 256
#: How many bad photos a job names; it counts all.
NAMED = 50


@dataclass
class Tally:
    """What became of the photos. ``failures``: up to ``NAMED`` of them, as {sha256, reason, message}."""

    embedded: int = 0
    failed: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    failed_hashes: set[str] = field(default_factory=set)

    def fail(self, sha256: str, reason: str, message: str) -> None:
        self.failed += 1
        self.failed_hashes.add(sha256)
        if len(self.failures) < NAMED:
            self.failures.append({"sha256": sha256, "reason": reason, "message": message})

    @property
    def done(self) -> int:
        return self.embedded + self.failed


def embed_missing(
    *,
    store: EmbeddingStore,
    embedder: Embedder,
    hashes: Sequence[str],
    tally: Tally,
    report: Callable[[], None],
) -> None:
    """Embed those of ``hashes`` that the store lacks, ``CHUNK`` at a time, and count them in ``tally``.

    ``report`` is called after each batch and may raise to stop; what is embedded by then is stored first.
    """
    for start in range(0, len(hashes), CHUNK):
        missing = store.missing(hashes[start : start + CHUNK])
        if not missing:
            continue
        keys: list[str] = []
        vectors: list[Any] = []
        try:
            for batch in embedder.embed(_photos(missing, tally)):
                keys += batch.keys
                vectors.append(batch.vectors)
                tally.embedded += len(batch.keys)
                for sha256, error in batch.failures:
                    tally.fail(sha256, error.code, str(error))
                report()
        finally:
            if keys:
                store.append(keys, np.concatenate(vectors))


def _photos(hashes: Sequence[str], tally: Tally) -> Iterator[tuple[str, bytes]]:
    for image in Image.objects.filter(sha256__in=hashes).order_by("id"):
        try:
            yield image.sha256, storage.original(image)
        except OSError as error:
            tally.fail(
                image.sha256,
                "missing_file",
                f"The photo's file cannot be read ({error}). Restore it from a backup, or add it again.",
            )


def project_of(progress: Progress) -> Project:
    """The job's project. Raises :class:`JobError` when it is gone."""
    project = Project.objects.filter(pk=progress.job.project_id or 0).first()
    if project is None:
        raise JobError("The project of this job is gone. There is nothing to do.")
    return project


def embed_project(progress: Progress) -> dict[str, Any]:
    """The job ``embed``: every photo of the project gets an embedding, then the rooms above are told.

    Returns {photos, embedded, already, failed, failures, device}. A photo that cannot be decoded is reported
    and does not stop the others.
    """
    project = project_of(progress)
    try:
        backbone = backbones.load(project.backbone)
    except (backbones.UnknownBackbone, backbones.WeightsError) as error:
        raise JobError(f"{error} Choose another backbone in the project's settings.") from error
    store = store_of(backbone)
    photos = wanted = 0
    for hashes in _hashes(project):
        photos += len(hashes)
        wanted += len(store.missing(hashes))
    tally = Tally()
    if wanted:
        progress.report(0, wanted, gettext_noop("Preparing the network"))
        embedder = embedder_for(project.backbone, device())
        for hashes in _hashes(project):
            embed_missing(
                store=store,
                embedder=embedder,
                hashes=hashes,
                tally=tally,
                report=lambda: progress.report(
                    tally.done, max(wanted, tally.done), gettext_noop("Embedding photos")
                ),
            )
        tidy(store)
    with transaction.atomic():
        events.embedded.send(sender=Project, project=project)
    return {
        "photos": photos,
        "embedded": tally.embedded,
        "already": photos - wanted,
        "failed": tally.failed,
        "failures": tally.failures,
        "device": device(),
    }


def _hashes(project: Project) -> Iterator[list[str]]:
    """The project's image hashes in the order of intake, some thousands at a time."""
    last = 0
    while True:
        rows = list(
            Item.objects.filter(project=project, pk__gt=last)
            .order_by("pk")
            .values_list("pk", "image__sha256")[: 16 * CHUNK]
        )
        if not rows:
            return
        last = rows[-1][0]
        yield [sha256 for _, sha256 in rows]
