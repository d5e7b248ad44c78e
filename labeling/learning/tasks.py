"""The learning room's jobs. Only a worker loads this module: it brings torch with it."""

from __future__ import annotations

from typing import Any

from labeling.jobs.handlers import handles
from labeling.jobs.runner import Progress
from labeling.learning.compute.embedding import embed_project
from labeling.learning.compute.training import train_project


@handles("embed")
def embed(progress: Progress) -> dict[str, Any]:
    return embed_project(progress)


@handles("train")
def train(progress: Progress) -> dict[str, Any]:
    return train_project(progress)
