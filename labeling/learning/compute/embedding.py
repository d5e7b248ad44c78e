"""Embed photos that the store lacks. Safe to stop and run again at any moment: nothing stored is redone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_noop

from inference import backbones
from inference.backbones import Backbone
from inference.embed import Embedder
from inference.store import EmbeddingStore
from labeling.catalog import storage
from labeling.catalog.models import Image, Project
from labeling.jobs.progress import JobError, Progress
from labeling.learning import domain_backbones, events
from labeling.learning.compute import sharing
from labeling.learning.compute.stores import device, embedder_for, load_backbone, store_of, tidy

logger = logging.getLogger(__name__)

#: Photos taken up, and vectors written, at once: about a second's work on two cores.
CHUNK = 256
#: How many bad photos a job names; it counts all.
NAMED = 50
#: Between two looks at what other workers have in hand.
WAIT_S = 0.5
#: A worker that has a part in hand for so long hangs. Embedding the part twice does no harm.
PATIENCE_S = 600.0


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
                "truncated" if isinstance(error, storage.Damaged) else "missing_file",
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

    Other workers may help (see ``sharing``); their photos count as embedded. Returns {photos, embedded, already,
    failed, failures, device, helped, adapted}. A photo that cannot be decoded is reported and does not stop the others.

    The project's own backbone comes first, so that labeling can begin; then those fitted to its photos (``adapted``: name ->
    photos embedded), of which one that cannot be loaded is passed over: no training will take it.
    """
    project = project_of(progress)
    told = _embed_under(progress, project, _backbone(project))
    adapted: dict[str, int] = {}
    for name in domain_backbones.to_embed(project)[1:]:
        try:
            backbone = load_backbone(name)
        except (backbones.UnknownBackbone, backbones.WeightsError) as error:
            logger.warning("%s cannot be embedded with: %s", name, error)
            continue
        adapted[name] = _embed_under(progress, project, backbone, tell=False)["embedded"]
    if any(adapted.values()):
        with transaction.atomic():
            events.embedded.send(sender=Project, project=project)
    return told | {"adapted": adapted}


def _embed_under(
    progress: Progress, project: Project, backbone: Backbone, *, tell: bool = True
) -> dict[str, Any]:
    store = store_of(backbone)
    photos = 0
    missing: dict[int, int] = {}
    for part in sharing.parts(project):
        photos += len(part.hashes)
        missing[part.first] = len(store.missing(part.hashes))
    wanted = sum(missing.values())
    work = _Work(project, backbone.name, store, missing, progress, sharing.Helpers(project))
    if wanted:
        progress.report(0, wanted, gettext_noop("Preparing the network"))
        work.embedder = embedder_for(backbone.name, device())
        # Should another project's job be at it in this process, the two share the machine, as trainings do.
        with sharing.this_process():
            waited = 0.0
            while work.walk(whatever_others_do=waited >= PATIENCE_S):
                # What is left is in other workers' hands: they store it, or die and leave it to us.
                time.sleep(WAIT_S)
                waited += WAIT_S
                progress.check()
        tidy(store)
    if tell:
        with transaction.atomic():
            events.embedded.send(sender=Project, project=project)
    return {
        "photos": photos,
        "embedded": work.tally.embedded + work.helped,
        "already": photos - wanted,
        "failed": work.tally.failed,
        "failures": work.tally.failures,
        "device": device(),
        "helped": work.helped,
    }


def help_to_embed(progress: Progress) -> dict[str, Any]:
    """The job ``embed_help``: parts that nobody is at, for half a minute at most. Returns {busy, embedded, device}."""
    project = project_of(progress)
    with sharing.this_process() as mine:
        if not mine:
            return {"busy": True, "embedded": 0, "device": device()}
        until, embedded = time.monotonic() + sharing.HELP_S, 0
        _backbone(project)
        for name in domain_backbones.to_embed(project):
            try:
                store = store_of(load_backbone(name))
            except (backbones.UnknownBackbone, backbones.WeightsError):
                continue  # the job itself says so
            work = _Work(project, name, store, {}, progress, None)
            work.walk(until=until)
            embedded += work.tally.embedded
        return {"busy": False, "embedded": embedded, "device": device()}


class _Work:
    """One worker's way over the parts of a project.

    ``missing``: how many photos each part lacked at the start. ``helped``: those of them that others stored meanwhile.
    """

    def __init__(
        self,
        project: Project,
        backbone: str,
        store: EmbeddingStore,
        missing: dict[int, int],
        progress: Progress,
        helpers: sharing.Helpers | None,
    ) -> None:
        self.tally = Tally()
        self.helped = 0
        self.embedder: Embedder | None = None
        self._project = project
        self._backbone = backbone
        self._store = store
        self._wanted = sum(missing.values())
        self._missing_at_first = dict(missing)
        self._progress = progress
        self._helpers = helpers

    def walk(self, *, until: float | None = None, whatever_others_do: bool = False) -> bool:
        """Embed every part that nobody else is at; whether others are at some still."""
        waiting = False
        self._store.refresh()
        for part in sharing.parts(self._project):
            if until is not None and time.monotonic() > until:
                break
            missing = self._missing(part)
            if not missing:
                self._count_help(part, 0)
                continue
            with sharing.claimed(part, self._store.folder.name) as mine:
                if not mine and not whatever_others_do:
                    waiting = True
                    continue
                # Its last owner may have stored it between our look and our claim.
                self._store.refresh()
                missing = self._missing(part)
                self._count_help(part, len(missing))
                if self.embedder is None:
                    self.embedder = embedder_for(self._backbone, device())
                embed_missing(
                    store=self._store,
                    embedder=self.embedder,
                    hashes=missing,
                    tally=self.tally,
                    report=self._report,
                )
        return waiting

    def _missing(self, part: sharing.Part) -> list[str]:
        return [key for key in self._store.missing(part.hashes) if key not in self.tally.failed_hashes]

    def _count_help(self, part: sharing.Part, still_missing: int) -> None:
        self.helped += max(0, self._missing_at_first.pop(part.first, 0) - still_missing)

    def _report(self) -> None:
        done = self.tally.done + self.helped
        self._progress.report(done, max(self._wanted, done), gettext_noop("Embedding photos"))
        if self._helpers is not None and self._wanted - done > 2 * sharing.PART:
            self._helpers.ask()


def _backbone(project: Project) -> Backbone:
    try:
        return backbones.load(project.backbone_name)
    except (backbones.UnknownBackbone, backbones.WeightsError) as error:
        raise JobError(f"{error} Choose another backbone in the project's settings.") from error
