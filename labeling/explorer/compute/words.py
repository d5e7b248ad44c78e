"""The job ``words``: texts become a vector beside the photos' own, and all photos are compared with it, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.utils.translation import gettext_noop

from inference.backbones import UnknownBackbone, WeightsError
from inference.store import PlacedRows
from inference.words import class_vectors, prompts_of
from labeling.explorer.models import AskedWords
from labeling.explorer.spaces import MOST
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute.embedding import project_of
from labeling.learning.compute.scoring import CHUNK, gather
from labeling.learning.compute.stores import load_backbone, store_of
from labeling.learning.compute.words import encoder_of


def compare(progress: Progress) -> dict[str, Any]:
    """Keep the :data:`MOST` photos that the words fit best. Returns {photos}: how many were compared.

    Raises :class:`JobError` where the backbone cannot be loaded.
    """
    project, args = project_of(progress), progress.job.args
    asked = AskedWords.objects.filter(project=project, backbone=args["backbone"], words=args["words"])
    try:
        backbone = load_backbone(args["backbone"])
        # As they stand, and as captions are that such models learned from.
        wanted = class_vectors(
            encoder_of(args["backbone"]), [[args["words"], *prompts_of(args["words"], [])]]
        )[0]
    except (UnknownBackbone, WeightsError) as error:
        raise JobError(str(error)) from error
    gathered = gather(store_of(backbone), [project])
    (pool,) = gathered.pools
    places = gathered.places[pool.images]
    order = places.in_disk_order()
    order = order[places.found[order]]
    rows = PlacedRows(gathered.store, places[order])
    cosines = np.empty(len(order), dtype=np.float32)
    for start in range(0, len(order), CHUNK):
        part = rows[start : start + CHUNK]
        cosines[start : start + len(part)] = part @ wanted
        progress.report(start + len(part), len(order), gettext_noop("Comparing photos"))
    item_ids = pool.item_ids[order]
    nearest = np.lexsort((item_ids, -cosines))[:MOST]
    asked.update(item_ids=item_ids[nearest].tolist())
    return {"photos": len(order)}
