"""The learning room's jobs. Only a worker loads this module: it brings torch with it."""

from __future__ import annotations

from typing import Any

from procrastinate.contrib.django import app

from labeling.catalog import stored
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress
from labeling.learning import deriving, lookalikes, registering
from labeling.learning.adaptation.compute import adapt_project
from labeling.learning.backbones import services as backbones
from labeling.learning.backbones.compute import measure as measure_backbone
from labeling.learning.compute import checking, likenesses
from labeling.learning.compute import lookalikes as compute_lookalikes
from labeling.learning.compute.embedding import embed_project, help_to_embed
from labeling.learning.compute.registering import make_version
from labeling.learning.compute.training import train_project
from labeling.learning.importing import compute as importing_models
from labeling.learning.importing import services as importing
from labeling.learning.lab.compute import run_lab


@handles("embed")
def embed(progress: Progress) -> dict[str, Any]:
    told = embed_project(progress)
    likenesses.compare(progress)
    return told


@handles(lookalikes.JOB_KIND)
def find_lookalikes(progress: Progress) -> dict[str, Any]:
    return compute_lookalikes.find(progress)


@handles("embed_help")
def embed_help(progress: Progress) -> dict[str, Any]:
    return help_to_embed(progress)


@handles("adapt")
def adapt(progress: Progress) -> dict[str, Any]:
    return adapt_project(progress)


@handles(backbones.JOB_KIND)
def measure(progress: Progress) -> dict[str, Any]:
    return measure_backbone(progress)


@handles("train")
def train(progress: Progress) -> dict[str, Any]:
    return train_project(progress)


@handles(registering.JOB_KIND)
def register(progress: Progress) -> dict[str, Any]:
    return make_version(progress)


@handles(importing.LOOK)
def look_at_model(progress: Progress) -> dict[str, Any]:
    return importing_models.look(progress)


@handles(importing.TAKE)
def import_model(progress: Progress) -> dict[str, Any]:
    return importing_models.take(progress)


@handles("lab")
def lab(progress: Progress) -> dict[str, Any]:
    return run_lab(progress)


@handles("derive")
def derive(progress: Progress) -> dict[str, Any]:
    return deriving.run(progress)


@app.periodic(cron="23 2 * * *")
@app.task(name="hilltop.check_stored", queue="cpu", queueing_lock="hilltop.check_stored")
def check_stored(timestamp: int) -> None:
    """Every night: all models and backbones, and a share of vectors and photos."""
    night = timestamp // 86_400
    checking.check_folders(night)
    stored.check_photos(night)
    stored.sweep_staging()
    registering.sweep()
    importing.sweep()
