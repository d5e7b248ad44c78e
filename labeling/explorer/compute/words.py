"""The job ``words``: texts become vectors beside the photos' own, and all photos are compared with them, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.utils.translation import gettext_noop

from inference.backbones import UnknownBackbone, WeightsError
from inference.store import PlacedRows
from inference.words import class_vectors, prompts_of
from labeling.catalog.models import Project
from labeling.explorer.models import AskedWords
from labeling.explorer.spaces import MOST
from labeling.jobs.models import LIVE_STATES
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute.embedding import project_of
from labeling.learning.compute.scoring import CHUNK, gather
from labeling.learning.compute.stores import load_backbone, store_of
from labeling.learning.compute.words import encoder_of

#: Texts that are compared at a time: of each, 4 bytes a photo are held.
AT_A_TIME = 16


def compare(progress: Progress) -> dict[str, Any]:
    """Keep, of all words of the project that wait, the :data:`MOST` photos that they fit best.

    Returns {words, photos}: how many were compared with how many.

    Raises :class:`JobError` where the backbone cannot be loaded.
    """
    project, name = project_of(progress), progress.job.args["backbone"]
    # Where a job failed, whoever asks anew has another one.
    asked = AskedWords.objects.filter(
        project=project, backbone=name, item_ids=None, job__state__in=LIVE_STATES
    ).order_by("pk")
    words = photos = 0
    while waiting := list(asked[:AT_A_TIME]):
        photos = _compare(progress, project, name, waiting)
        words += len(waiting)
    return {"words": words, "photos": photos}


def _compare(progress: Progress, project: Project, name: str, waiting: list[AskedWords]) -> int:
    """The same of these; how many photos there were."""
    try:
        backbone = load_backbone(name)
        # As they stand, and as captions are that such models learned from.
        wanted = class_vectors(
            encoder_of(name), [[each.words, *prompts_of(each.words, [])] for each in waiting]
        )
    except (UnknownBackbone, WeightsError) as error:
        raise JobError(str(error)) from error
    gathered = gather(store_of(backbone), [project])
    (pool,) = gathered.pools
    places = gathered.places[pool.images]
    order = places.in_disk_order()
    order = order[places.found[order]]
    rows = PlacedRows(gathered.store, places[order])
    cosines = np.empty((len(waiting), len(order)), dtype=np.float32)
    for start in range(0, len(order), CHUNK):
        part = rows[start : start + CHUNK]
        cosines[:, start : start + len(part)] = wanted @ part.T
        progress.report(start + len(part), len(order), gettext_noop("Comparing photos"))
    item_ids = pool.item_ids[order]
    for each, its in zip(waiting, cosines, strict=True):
        each.item_ids = item_ids[np.lexsort((item_ids, -its))[:MOST]].tolist()
    AskedWords.objects.bulk_update(waiting, ["item_ids"])
    return len(order)
