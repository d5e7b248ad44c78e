"""The serving room's jobs. Only a worker loads this module: it brings torch with it."""

from __future__ import annotations

from typing import Any

from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress
from labeling.serving.bundles.compute import make_bundle
from labeling.serving.bundles.services import JOB_KIND


@handles(JOB_KIND)
def bundle(progress: Progress) -> dict[str, Any]:
    return make_bundle(progress)
