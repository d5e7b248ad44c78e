"""Embed photos that the store lacks. Safe to stop and run again at any moment: nothing stored is redone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import DatabaseError, transaction
from django.utils.translation import gettext_noop

from inference import backbones
from inference.backbones import Backbone
from inference.embed import Embedder
from inference.store import EmbeddingStore
from labeling.catalog import storage
from labeling.catalog.models import Project
from labeling.catalog.references import NotThere
from labeling.jobs.progress import Cancelled, Interrupted, JobError, Progress, Superseded, of
from labeling.learning import domain_backbones, events
from labeling.learning.compute import sharing
from labeling.learning.compute.stores import device, embedder_for, load_backbone, store_of, tidy
from labeling.store import objects
from labeling.store.objects import StoreAway

logger = logging.getLogger(__name__)

#: Photos taken up, and vectors written, at once: about a second's work on two cores.
CHUNK = 256
#: How many bad photos a job names; it counts all.
NAMED = 50
# What stops a job is no fault of a backbone: it is asked to stop, or database, store or disk are in trouble.
_ABOUT_THE_JOB = (Cancelled, Interrupted, Superseded, DatabaseError, StoreAway, OSError)
_AWAY = gettext_noop(
    "The bucket in which some photos stay does not answer. All others are embedded. Start the job again when it does."
)
#: Between two looks at what other workers have in hand.
WAIT_S = 0.5
#: A worker that has a part in hand for so long hangs. Embedding the part twice does no harm.
PATIENCE_S = 600.0


@dataclass
class Tally:
    """What became of the photos. ``failures``: up to ``named`` of them, as {sha256, reason, message}.

    ``seconds``: this worker's own work on those that it embedded, reading and storing included. ``away``: how many of those
    that failed stay in a bucket that does not answer.
    """

    embedded: int = 0
    seconds: float = 0.0
    failed: int = 0
    away: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    failed_hashes: set[str] = field(default_factory=set)
    named: int = NAMED

    def fail(self, sha256: str, reason: str, message: str) -> None:
        self.failed += 1
        self.failed_hashes.add(sha256)
        if len(self.failures) < self.named:
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
        if missing := store.missing(hashes[start : start + CHUNK]):
            embed_all(append=store.append, embedder=embedder, hashes=missing, tally=tally, report=report)


def embed_all(
    *,
    append: Callable[[Sequence[str], npt.NDArray[np.float32]], object],
    embedder: Embedder,
    hashes: Sequence[str],
    tally: Tally,
    report: Callable[[], None],
) -> None:
    """Embed photos, count them in ``tally``, and give keys and vectors to ``append`` at once at the end.

    ``report`` as in :func:`embed_missing`. Asks the store of photos only, not the database.
    """
    keys: list[str] = []
    vectors: list[npt.NDArray[np.float32]] = []
    began = time.monotonic()
    try:
        for batch in embedder.embed(_photos(hashes, tally)):
            keys += batch.keys
            vectors.append(batch.vectors)
            tally.embedded += len(batch.keys)
            for sha256, error in batch.failures:
                tally.fail(sha256, error.code, str(error))
            report()
    finally:
        if keys:
            append(keys, np.concatenate(vectors))
        tally.seconds += time.monotonic() - began


def _photos(hashes: Sequence[str], tally: Tally) -> Iterator[tuple[str, bytes]]:
    for sha256, data, error in objects.ahead(_read, hashes):
        if error is None:
            yield sha256, data
        else:
            tally.fail(sha256, *_why_unread(error))
            tally.away += isinstance(error, NotThere) and error.code == "silent"


def _why_unread(error: OSError) -> tuple[str, str]:
    """Reason and message."""
    if isinstance(error, NotThere):  # which names a folder, and that may say what is on the photo
        return (
            "not_there",
            "The photo stays elsewhere, and cannot be had from there. An admin sees why on the page Sources.",
        )
    reason = "truncated" if isinstance(error, storage.Damaged) else "missing_file"
    return reason, f"The photo's file cannot be read ({error}). Restore it from a backup, or add it again."


def _read(sha256: str) -> tuple[str, bytes, OSError | None]:
    try:
        return sha256, storage.original_of(sha256), None
    except OSError as error:
        return sha256, b"", error


def project_of(progress: Progress) -> Project:
    """The job's project. Raises :class:`JobError` when it is gone."""
    project = Project.objects.filter(pk=progress.job.project_id or 0).first()
    if project is None:
        raise JobError("The project of this job is gone. There is nothing to do.")
    return project


def embed_project(progress: Progress) -> dict[str, Any]:
    """The job ``embed``: every photo of the project gets an embedding, then the rooms above are told.

    Other workers may help (see ``sharing``); their photos count as embedded. Returns {photos, embedded, already,
    failed, failures, device, helped} of the project's own backbone, and ``backbones``: for each one {name, embedded,
    already, failed, measured (photos that this worker embedded, in ``seconds``), dim, content_hash, device}, or {name,
    error}.
    A photo that cannot be decoded is reported and does not stop the others.

    The project's own backbone comes first, so that labeling can begin; then those that versions in use stand on, its
    further ones, and those fitted to its photos. One that fails is passed over, and told; where it is the project's own, the
    job fails by it once the others are done. So it does where photos stay in a bucket that does not answer. Raises
    :class:`JobError` for that.
    """
    project = project_of(progress)
    names = domain_backbones.to_embed(project)
    # Once the champion's backbones have them, new photos can be scored: nobody waits for candidates.
    in_use = set(domain_backbones.in_use(project))
    last_in_use = max((at for at, name in enumerate(names) if name in in_use), default=0)
    own: dict[str, Any] | None = None
    told: list[dict[str, Any]] = []
    fresh = False
    for number, name in enumerate(names):
        which = f"{name} ({number + 1}/{len(names)})" if len(names) > 1 else ""
        found, each = _embed_or_tell(progress, project, name, which, is_own=number == 0)
        told.append({"name": name, **each})
        if number == 0:
            own = found
            continue
        fresh = fresh or bool(each.get("embedded"))
        if fresh and number in (last_in_use, len(names) - 1):
            _tell(project)
            fresh = False
    if own is None:
        raise JobError(f"{told[0]['error']} Choose another backbone in the project's settings.")
    if any(each.get("away") for each in told):
        raise JobError(_AWAY)
    return own | {"backbones": told}


def _embed_or_tell(
    progress: Progress, project: Project, name: str, which: str, *, is_own: bool
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """What the job tells of a project's own backbone, and of any: its counts, or ``error``, why it could not be used."""
    try:
        found = _embed_under(progress, project, load_backbone(name), which, tell=is_own)
    except (backbones.UnknownBackbone, backbones.WeightsError) as error:
        logger.warning("%s cannot be embedded with: %s", name, error)
        return None, {"error": str(error)}
    except _ABOUT_THE_JOB:
        raise
    except Exception as error:
        if is_own:
            raise
        logger.exception("%s cannot be embedded with", name)
        why = f"it failed unexpectedly ({type(error).__name__}); the worker's log says more"
        return None, {"error": why}
    return found["own"], found["backbone"]


@transaction.atomic
def _tell(project: Project) -> None:
    events.embedded.send(sender=Project, project=project)


def _embed_under(
    progress: Progress, project: Project, backbone: Backbone, which: str, *, tell: bool
) -> dict[str, Any]:
    """``which``: how its progress names it; empty where it is the only one."""
    store = store_of(backbone)
    photos = 0
    missing: dict[int, int] = {}
    for part in sharing.parts(project):
        photos += len(part.hashes)
        missing[part.first] = len(store.missing(part.hashes))
    wanted = sum(missing.values())
    work = _Work(project, backbone.name, store, missing, progress, sharing.Helpers(project), which)
    if wanted:
        progress.report(0, wanted, _about(gettext_noop("Preparing the network"), which))
        work.embedder = embedder_for(backbone.name, device())
        progress.report(0, wanted, _about(gettext_noop("Embedding photos"), which))
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
        _tell(project)
    tally = work.tally
    counts = {
        "embedded": tally.embedded + work.helped,
        "already": photos - wanted,
        "failed": tally.failed,
        "device": device(),
    }
    return {
        "own": {"photos": photos, **counts, "failures": tally.failures, "helped": work.helped},
        "backbone": {
            **counts,
            "away": tally.away,
            "dim": backbone.dim,
            "content_hash": backbone.content_hash,
            "measured": tally.embedded,
            "seconds": round(tally.seconds, 3),
        },
    }


def _about(message: str, which: str) -> str:
    return of(message, which) if which else message


def help_to_embed(progress: Progress) -> dict[str, Any]:
    """The job ``embed_help``: parts that nobody is at, for half a minute at most. Returns {busy, embedded, device}."""
    project = project_of(progress)
    with sharing.this_process() as mine:
        if not mine:
            return {"busy": True, "embedded": 0, "device": device()}
        until, embedded = time.monotonic() + sharing.HELP_S, 0
        for name in domain_backbones.to_embed(project):
            try:
                store = store_of(load_backbone(name))
            except (backbones.UnknownBackbone, backbones.WeightsError):
                continue  # the job itself says so
            work = _Work(project, name, store, {}, progress, None, "")
            work.walk(until=until)
            embedded += work.tally.embedded
        return {"busy": False, "embedded": embedded, "device": device()}


class _Work:
    """One worker's way over the parts of a project.

    ``missing``: how many photos each part lacked at the start. ``helped``: those of them that others stored meanwhile.
    ``which``: the backbone, where it is one of several.
    """

    def __init__(
        self,
        project: Project,
        backbone: str,
        store: EmbeddingStore,
        missing: dict[int, int],
        progress: Progress,
        helpers: sharing.Helpers | None,
        which: str,
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
        self._which = which

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
        self._progress.report(
            done, max(self._wanted, done), _about(gettext_noop("Embedding photos"), self._which)
        )
        if self._helpers is not None and self._wanted - done > 2 * sharing.PART:
            self._helpers.ask()
