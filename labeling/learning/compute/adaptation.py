"""The job ``adapt``: a domain backbone from the project's own unlabeled photos.

Can be stopped and gone on with: the state is kept beside the backbones, under the job's own number, and the folder it
makes is named after it, so a job that is run twice makes one backbone.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from inference import backbones, domain, selfsup
from inference.backbones import Backbone, UnknownBackbone, WeightsError
from inference.backbones.names import parse
from labeling.catalog import storage
from labeling.catalog.models import Image, Project
from labeling.catalog.services import log_activity
from labeling.jobs.models import Job
from labeling.jobs.runner import JobError, Progress
from labeling.learning import adaptation, services
from labeling.learning.compute.embedding import project_of
from labeling.learning.compute.stores import backbones_folder, device, load_backbone, networks_folder
from labeling.learning.models import DomainBackbone


def adapt_project(progress: Progress) -> dict[str, Any]:
    """Fit, keep and register; then have the pool embedded with it.

    Returns {name, method, photos, modes, excluded, embedding} or, where an automatic job finds a backbone that cannot be
    adapted, {skipped}.
    """
    project = project_of(progress)
    made = DomainBackbone.objects.filter(job=progress.job).first()
    if made is None:
        _refuse_hours_that_nobody_agreed_to(progress.args)
        try:
            reference = backbones.load(project.backbone)
            base = backbones.load(maps_name(project.backbone))
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
    """The registry's name of the same network with its stages' maps alone, which statistics are made of."""
    asked = parse(backbone)
    plain = str(type(asked)(asked.family, asked.architecture))
    return plain if asked.family == "efficientnet_lite" else f"{plain}+stages"


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
    if folder.exists():  # an earlier run of this job ended between the folder and the row
        manifest = domain.read_manifest(folder)
        told = manifest["statistics"]
        metrics = manifest["metrics"] | _found(told["counts"], told["silhouettes"])
    else:
        fit = _self_supervise if method == DomainBackbone.Method.SELF_SUPERVISION else _fit_statistics
        metrics = fit(
            progress, project, base, folder, flips, lambda: round(time.monotonic() - started, 1), stages
        )
    progress.check()
    fitted = load_backbone(f"domain:{name}")
    return _register(progress.job, project, reference, fitted, method, ready, metrics)


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
    """A random part of the photos that no figure is computed on, always the same while the pool is."""
    drawn = adaptation.usable(project).order_by("random_key")
    return list(drawn.values_list("image__sha256", flat=True)[:most])


def _fit_statistics(
    progress: Progress,
    project: Project,
    base: Backbone,
    folder: Path,
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
            checkpoint=_state_of(folder),
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
    flips: str,
    seconds: Callable[[], float],
    stages: int,
) -> dict[str, Any]:
    """Trains the last layers (DIET), then takes the statistics under the new weights."""
    hashes, read = _hashes(project, adaptation.MOST_SELF_SUPERVISED), _Reader()
    place = _state_of(folder)
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
    shutil.rmtree(place, ignore_errors=True)
    told = kept["statistics"]
    return metrics | _found(told["counts"], told["silhouettes"])


def _state_of(folder: Path) -> Path:
    """What an interrupted run goes on from, beside the folder that it will make."""
    return folder.with_name(f".{folder.name}.state")


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
            "base": project.backbone,
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
