"""The job ``space``: photos that have an embedding get their places in the project's space, and on its map."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.utils.translation import gettext_noop

from inference import plane
from inference.backbones import Backbone, UnknownBackbone, WeightsError
from inference.projection import Projection
from inference.store import PlacedRows
from labeling.catalog.models import Project
from labeling.explorer.compute.tables import Floats, Ids, Rows, change, index, landmarks_of, write
from labeling.explorer.laying_out import drop
from labeling.explorer.models import Space
from labeling.explorer.spaces import current_space
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute.copying import fetch_columns
from labeling.learning.compute.embedding import project_of
from labeling.learning.compute.scoring import gather
from labeling.learning.compute.stores import load_backbone, store_of

#: Photos that a projection is fitted to, at most: drawn at random.
SAMPLE = 20_000
#: A fit to fewer photos is made anew when there are so many times as many.
GROWN = 4
CHUNK = 8_192


def fill(progress: Progress) -> dict[str, Any]:
    """Add what is new to the project's space and take out what has gone, or make another one.

    Another one is made where the project has none of its backbone, has :data:`GROWN` times the photos that a small one was
    fitted to, or one is asked for (``anew``). Returns {photos, added, gone, anew}. Raises :class:`JobError`.
    """
    project = project_of(progress)
    try:
        backbone = load_backbone(project.backbone_name)
    except (UnknownBackbone, WeightsError) as error:
        raise JobError(f"{error} Choose another backbone in the project's settings.") from error
    gathered = gather(store_of(backbone), [project])
    (pool,) = gathered.pools
    places = gathered.places[pool.images]
    item_ids, rows = pool.item_ids[places.found], PlacedRows(gathered.store, places[places.found])
    space = current_space(project)
    told = {"photos": len(item_ids), "added": 0, "gone": 0, "anew": False}
    if space is not None and space.backbone_hash == backbone.content_hash:
        grown = space.fitted_on < SAMPLE and len(item_ids) >= GROWN * space.fitted_on
        if not grown and not progress.args.get("anew"):
            return told | _add(progress, space, item_ids, rows)
    if not len(item_ids):
        return told
    _make(progress, project, backbone, item_ids, rows)
    for old in Space.objects.filter(project=project).defer("projection"):
        # Somebody may be reading the one before, which was read of a moment ago: that goes in the night.
        if space is not None and old.pk < space.pk:
            drop(old)
    return told | {"added": len(item_ids), "anew": True}


def _make(progress: Progress, project: Project, backbone: Backbone, item_ids: Ids, rows: PlacedRows) -> None:
    drawn = np.random.default_rng(0).permutation(len(item_ids))[:SAMPLE]
    projection = Projection.fit(rows[np.sort(drawn)])
    vectors = _projected(progress, projection, rows, np.arange(len(item_ids)))
    progress.report(0, 1, gettext_noop("Laying out the map"))
    which = plane.landmarks(len(item_ids))
    known = vectors[which]
    places = _placed(progress, vectors, known, plane.lay_out(known))
    progress.report(0, 1, gettext_noop("Writing places"))
    are_landmarks = np.isin(np.arange(len(item_ids)), which)
    write(project, backbone.content_hash, projection, Rows(item_ids, vectors, places, are_landmarks))


def _add(progress: Progress, space: Space, item_ids: Ids, rows: PlacedRows) -> dict[str, int]:
    (known,) = fetch_columns(["item_id"], f"SELECT item_id FROM {space.table}")  # noqa: S608
    gone, fresh = known[~np.isin(known, item_ids)], np.flatnonzero(~np.isin(item_ids, known))
    new = None
    if len(fresh):
        projection = Projection.from_bytes(bytes(Space.objects.get(pk=space.pk).projection))
        vectors = _projected(progress, projection, rows, fresh)
        places = _placed(progress, vectors, *landmarks_of(space))
        new = Rows(item_ids[fresh], vectors, places, np.zeros(len(fresh), dtype=np.bool_))
    change(space, gone, new)
    index(space, len(item_ids))
    return {"added": len(fresh), "gone": len(gone)}


def _projected(progress: Progress, projection: Projection, rows: PlacedRows, which: Ids) -> Floats:
    vectors = np.empty((len(which), projection.axes.shape[1]), dtype=np.float32)
    for start in range(0, len(which), CHUNK):
        part = which[start : start + CHUNK]
        vectors[start : start + len(part)] = projection(rows[part])
        progress.report(start + len(part), len(which), gettext_noop("Projecting embeddings"))
    return vectors


def _placed(progress: Progress, vectors: Floats, known: Floats, places: Floats) -> Floats:
    """(n, 2); in the middle where no landmark is left."""
    placed = np.full((len(vectors), 2), (plane.SIDE - 1) / 2, dtype=np.float32)
    if len(known):
        for start, part in plane.place(vectors, known, places):
            placed[start : start + len(part)] = part
            progress.report(start + len(part), len(vectors), gettext_noop("Placing photos on the map"))
    return placed
