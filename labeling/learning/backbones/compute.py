"""The job ``measure``: how long a backbone takes for a photo on this machine, and how long its vectors are."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from inference.backbones import UnknownBackbone, WeightsError
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute import sharing
from labeling.learning.compute.embedding import Tally, embed_missing, project_of
from labeling.learning.compute.stores import device, embedder_for, load_backbone, store_of

#: Photos that are measured on: a minute's work of a large network on a CPU.
SAMPLE = 32
#: Photos before them, not measured: the first ones wait for memory and caches.
WARM_UP = 2


def measure(progress: Progress) -> dict[str, Any]:
    """Embeds a few photos that the backbone lacks, and keeps their vectors. Returns {photos, missing, backbones}.

    ``missing``: photos of the project that it lacks still. ``backbones``: as the job ``embed`` tells of one; without a pace
    where none was missing. Raises :class:`JobError` where the backbone cannot be loaded or no photo could be read.
    """
    project = project_of(progress)
    name = str(progress.args["backbone"])
    missing: list[str] = []
    photos = 0
    try:
        backbone = load_backbone(name)
        store = store_of(backbone)
        for part in sharing.parts(project):
            photos += len(part.hashes)
            missing += store.missing(part.hashes)
        progress.report(0, min(SAMPLE, len(missing)) or 1, gettext_noop("Preparing the network"))
        embedder = embedder_for(name, device())
    except (UnknownBackbone, WeightsError) as error:
        raise JobError(str(error)) from error
    chosen = list(islice(missing, WARM_UP + SAMPLE))
    warm = min(WARM_UP, len(chosen) // 2)
    tallies = []
    for some in (chosen[:warm], chosen[warm:]):
        tally = Tally()
        embed_missing(
            store=store,
            embedder=embedder,
            hashes=some,
            tally=tally,
            report=lambda tally=tally: progress.report(  # type: ignore[misc]
                tally.done, len(chosen), gettext_noop("Embedding photos")
            ),
        )
        tallies.append(tally)
    before, timed = tallies
    embedded = before.embedded + timed.embedded
    failed = before.failed + timed.failed
    if chosen and not timed.embedded:
        raise JobError(_("None of the photos could be read: %(why)s") % {"why": timed.failures[0]["message"]})
    return {
        "photos": photos,
        "missing": len(missing) - embedded,
        "backbones": [
            {
                "name": name,
                "embedded": embedded,
                "already": photos - len(missing),
                "failed": failed,
                "measured": timed.embedded,
                "seconds": round(timed.seconds, 4),
                "dim": backbone.dim,
                "device": device(),
            }
        ],
    }
