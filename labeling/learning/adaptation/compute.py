"""The job ``adapt``: a domain backbone from the project's own unlabeled photos.

Can be stopped and gone on with, also by a later job that asks for the same: the state is kept beside the backbones, named
after what is adapted and how, and refuses other photos by itself. The folder that comes out is named after the job, so a
job that is run twice makes one backbone.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from inference import backbones, domain, selfsup
from inference.backbones import Backbone, UnknownBackbone, WeightsError
from inference.backbones.names import parse
from labeling.catalog import storage
from labeling.catalog.models import Image, Project
from labeling.catalog.services import log_activity
from labeling.jobs.models import Job
from labeling.jobs.progress import Cancelled, JobError, Progress
from labeling.learning import services
from labeling.learning.adaptation import services as adaptation
from labeling.learning.compute.embedding import project_of
from labeling.learning.compute.stores import backbones_folder, device, load_backbone, networks_folder
from labeling.learning.models import DomainBackbone
from labeling.store.folders import BACKBONES

#: Nobody goes on from a state that nothing was added to for so long. One may take gigabytes.
STATE_KEPT_S = 7 * 24 * 3600.0


def adapt_project(progress: Progress) -> dict[str, Any]:
    """Fit, keep and register; then have the pool embedded with it.

    Returns {name, method, photos, modes, excluded, embedding} or, where an automatic job finds a backbone that cannot be
    adapted, or the project dropped the one to adapt, {skipped}.
    """
    project = project_of(progress)
    made = DomainBackbone.objects.filter(job=progress.job).first()
    if made is None:
        _refuse_hours_that_nobody_agreed_to(progress.args)
        sweep_old_states()
        name = str(progress.args.get("base") or project.backbone_name)
        if name not in project.backbone_names:
            return {"skipped": _("%(name)s is none of the project's backbones any more.") % {"name": name}}
        try:
            reference = backbones.load(name)
            base = backbones.load(maps_name(name))
            shapes = domain.map_shapes(base)
        except (UnknownBackbone, WeightsError, domain.NoMaps) as error:
            if progress.args.get("auto"):
                return {"skipped": str(error)}
            raise JobError(f"{error} Choose another backbone in the project's settings.") from error
        made = _make(progress, project, reference, base, stages=len(shapes))
    embedding = services.request_embedding(project=project, by=progress.job.requested_by)
    return {
        "name": made.name,
        "method": made.method,
        "photos": made.photos,
        "modes": made.metrics.get("modes", []),
        "excluded": made.excluded,
        "embedding": str(embedding.pk),
    }


def _refuse_hours_that_nobody_agreed_to(args: Mapping[str, Any]) -> None:
    if args.get("method") != DomainBackbone.Method.SELF_SUPERVISION or args.get("on_cpu"):
        return
    if device() == "cpu":
        raise JobError(
            "The worker that took this up has no GPU, and without one self-supervised training takes hours to days. "
            "Let only workers with a GPU do the queue “gpu”, or adapt again with “Run on the CPU anyway” ticked."
        )


def maps_name(backbone: str) -> str:
    """The registry's name of the same network with its maps by place alone, which statistics are made of.

    A transformer's are the blocks that were asked for; those of its stages where none was.
    """
    asked = parse(backbone)
    blocks = tuple(f"block{each}" for each in asked.blocks)
    features = () if asked.family == "efficientnet_lite" else blocks or ("stages",)
    return str(replace(asked, features=features, tiles=0, flips=""))


def folder_name(job: Job) -> str:
    return f"p{job.project_id}-{job.pk.hex[:16]}"


def _make(
    progress: Progress, project: Project, reference: Backbone, base: Backbone, *, stages: int
) -> DomainBackbone:
    started = time.monotonic()
    method = str(progress.args.get("method", DomainBackbone.Method.STATISTICS))
    flips = str(progress.args.get("flips", ""))
    ready = adaptation.readiness(project)
    name = folder_name(progress.job)
    folder = backbones_folder() / name
    if kept := _kept(name):  # an earlier run of this job ended between the folder and the row
        manifest = domain.read_manifest(kept)
        told = manifest["statistics"]
        metrics = manifest["metrics"] | _found(told["counts"], told["silhouettes"])
    else:
        fit = _self_supervise if method == DomainBackbone.Method.SELF_SUPERVISION else _fit_statistics
        place = state_of(project, method, flips, base.name)
        try:
            metrics = fit(
                progress,
                project,
                base,
                folder,
                place,
                flips,
                lambda: round(time.monotonic() - started, 1),
                stages,
            )
        except (Cancelled, JobError):  # nobody is to go on from there, or it leads nowhere
            _discard(place)
            raise
        _discard(place)
        BACKBONES.put(name)
    progress.check()
    fitted = load_backbone(f"domain:{name}")
    return _register(progress.job, project, reference, fitted, method, ready, metrics)


def _kept(name: str) -> Path | None:
    """The folder of this name, if there is one. One that is damaged in the store is removed: it is made again."""
    try:
        folder = BACKBONES.get(name)
    except FileNotFoundError:
        BACKBONES.drop(name)
        return None
    return folder if folder.exists() else None


class _Reader:
    """Photos' files by SHA-256. One that is gone counts as one that cannot be decoded."""

    def __init__(self) -> None:
        self.unread = 0

    def __call__(self, sha256: str) -> bytes:
        try:
            return storage.original(Image.objects.get(sha256=sha256))
        except OSError:
            self.unread += 1
            return b""


def _hashes(project: Project, most: int) -> list[str]:
    """A random part of the photos that no figure is computed on so far, always the same while the pool is.

    From the far end of the audit's walk, which draws these last: a sample that certifies should not be what was adapted to.
    """
    drawn = adaptation.usable(project).order_by("-random_key")
    return list(drawn.values_list("image__sha256", flat=True)[:most])


def _fit_statistics(
    progress: Progress,
    project: Project,
    base: Backbone,
    folder: Path,
    place: Path,
    flips: str,
    seconds: Callable[[], float],
    stages: int,
) -> dict[str, Any]:
    hashes, read = _hashes(project, adaptation.MOST), _Reader()
    progress.report(0, max(1, len(hashes)), gettext_noop("Preparing the network"))
    try:
        statistics = domain.fit(
            base,
            hashes,
            read,
            flips=flips,
            device=device(),
            cache_dir=networks_folder(),
            max_photos=adaptation.MOST,
            max_pixels=settings.INTAKE_MAX_PIXELS,
            checkpoint=place,
            on_progress=_told(progress, gettext_noop("Learning what is usual")),
        )
    except domain.TooFewPhotos as error:
        raise JobError(f"{error} Add photos, then adapt again.") from error
    metrics = _found(statistics.counts, statistics.modes.silhouettes) | {
        "photos": statistics.photos,
        "unread": read.unread,
        "seconds": seconds(),
        "flips": flips,
        "stages": stages,
    }
    domain.save(
        folder, base=base.name, statistics=statistics, told=_manifest("statistics", project, folder, metrics)
    )
    return metrics


def _self_supervise(
    progress: Progress,
    project: Project,
    base: Backbone,
    folder: Path,
    place: Path,
    flips: str,
    seconds: Callable[[], float],
    stages: int,
) -> dict[str, Any]:
    """Trains the last layers (DIET), then takes the statistics under the new weights."""
    hashes, read = _hashes(project, adaptation.MOST_SELF_SUPERVISED), _Reader()
    try:
        trained = selfsup.train(
            base,
            hashes,
            read,
            folder=place,
            recipe=selfsup.Recipe(
                epochs=settings.SELF_SUPERVISION_EPOCHS,
                augmentation=selfsup.Augmentation(flips=flips),
            ),
            device=device(),
            max_pixels=settings.INTAKE_MAX_PIXELS,
            on_progress=_told(progress, gettext_noop("Training without labels")),
        )
        metrics: dict[str, Any] = {
            "photos": trained.photos,
            "unread": read.unread,
            "losses": [round(loss, 4) for loss in trained.losses],
            "seconds": seconds(),
            "flips": flips,
            "stages": stages,
        }
        kept = domain.save_trained(
            folder,
            base,
            trained.state,
            hashes,
            read,
            told=_manifest("selfsup", project, folder, metrics),
            flips=flips,
            device=device(),
            max_photos=adaptation.MOST,
            max_pixels=settings.INTAKE_MAX_PIXELS,
            on_progress=_told(progress, gettext_noop("Learning what is usual")),
        )
    except (domain.TooFewPhotos, selfsup.TooFewPhotos, selfsup.Diverged) as error:
        raise JobError(f"{error} Add photos, then adapt again.") from error
    told = kept["statistics"]
    return metrics | _found(told["counts"], told["silhouettes"])


def state_of(project: Project, method: str, flips: str, base: str) -> Path:
    """What an interrupted or failed run is gone on with from; a file or a folder, by the method."""
    network = hashlib.sha256(base.encode()).hexdigest()[:8]
    return backbones_folder() / f".p{project.pk}-{method}-{flips or 'plain'}-{network}.state"


def _discard(place: Path) -> None:
    place.unlink(missing_ok=True) if place.is_file() else shutil.rmtree(place, ignore_errors=True)


def sweep_old_states() -> None:
    """Remove what jobs left that nobody went on with: cancelled while they waited, or their project's photos changed."""
    if not backbones_folder().is_dir():
        return
    for place in backbones_folder().glob(".*.state"):
        try:
            old = time.time() - place.stat().st_mtime > STATE_KEPT_S
        except OSError:  # another worker was faster
            continue
        if old:
            _discard(place)


def _told(progress: Progress, message: str) -> Callable[[int, int], None]:
    return lambda done, total: progress.report(done, total, message)


def _found(counts: Sequence[int], silhouettes: Mapping[Any, float]) -> dict[str, Any]:
    return {"modes": list(counts), "silhouettes": {str(count): value for count, value in silhouettes.items()}}


def _manifest(method: str, project: Project, folder: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    return {"method": method, "project": project.slug, "job": folder.name, "metrics": metrics}


@transaction.atomic
def _register(
    job: Job,
    project: Project,
    reference: Backbone,
    fitted: Backbone,
    method: str,
    ready: adaptation.Readiness,
    metrics: dict[str, Any],
) -> DomainBackbone:
    made, new = DomainBackbone.objects.get_or_create(
        job=job,
        defaults={
            "project": project,
            "method": method,
            "name": fitted.name,
            "content_hash": fitted.content_hash,
            "dim": fitted.dim,
            "base": str(job.args.get("base") or project.backbone_name),
            "base_hash": reference.content_hash,
            "photos": int(metrics["photos"]),
            "pool": ready.pool,
            "excluded": ready.excluded,
            "metrics": metrics,
            "created_by": job.requested_by,
        },
    )
    if new:
        log_activity(project=project, kind="backbone_adapted", actor=job.requested_by, photos=made.photos)
    return made
