"""The job ``lookalikes``: for each photo in dispute, the settled ones of each class that look most like it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from inference import explain
from inference.backbones import UnknownBackbone, WeightsError
from inference.store import EmbeddingStore
from labeling.catalog.models import Project
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute.embedding import project_of
from labeling.learning.compute.stores import load_backbone, store_of
from labeling.learning.models import Lookalikes
from labeling.truth.models import Dispute, GroundTruth, Origin, TruthKind

#: Disputes that are compared, the oldest, which come up first; and settled photos, the newest: a second's work.
OPEN, NEWEST = 500, 5000
#: Kept of each class: twice what a page shows, as some may be settled otherwise by then.
KEPT = 8

Photos = list[tuple[int, str]]
Floats = npt.NDArray[np.floating[Any]]


def find(progress: Progress) -> dict[str, Any]:
    """Find them anew for every open dispute. Returns {disputes, settled}: how many were compared with how many."""
    project = project_of(progress)
    store = _store(project)
    disputed = _with_vectors(store, _disputed(project))
    settled = _settled(project)
    classes = {item: label_class for item, label_class, _sha256 in settled}
    known = _with_vectors(store, [(item, sha256) for item, _class, sha256 in settled])
    if disputed and known:
        alike = explain.similarities(
            store.rows([sha256 for _item, sha256 in disputed]),
            store.rows([sha256 for _item, sha256 in known]),
        )
        _keep(disputed, known, classes, alike)
    return {"disputes": len(disputed), "settled": len(known)}


def _store(project: Project) -> EmbeddingStore:
    try:
        return store_of(load_backbone(project.backbone_name))
    except (UnknownBackbone, WeightsError) as error:
        raise JobError(f"{error} Choose another backbone in the project's settings.") from error


def _disputed(project: Project) -> Photos:
    rows = Dispute.objects.open().filter(waits__project=project).order_by("created_at", "id")
    return list(rows.values_list("item", "item__image__sha256")[:OPEN])


def _settled(project: Project) -> list[tuple[int, int, str]]:
    """Gold is no company's to see; what one answer settled is nobody's word yet."""
    return list(
        GroundTruth.objects.strict()
        .filter(project=project, kind=TruthKind.CLASS)
        .exclude(origin=Origin.GOLD)
        .order_by("-id")
        .values_list("item", "label_class", "item__image__sha256")[:NEWEST]
    )


def _with_vectors(store: EmbeddingStore, photos: Photos) -> Photos:
    lacking = set(store.missing([sha256 for _item, sha256 in photos]))
    return [(item, sha256) for item, sha256 in photos if sha256 not in lacking]


def _keep(disputed: Photos, known: Photos, classes: dict[int, int], alike: Floats) -> None:
    """``alike`` (m, n): how much each disputed photo looks like each known one."""
    nearest: list[list[list[int]]] = [[] for _photo in disputed]
    of_class = np.array([classes[item] for item, _sha256 in known])
    for label_class in np.unique(of_class).tolist():
        columns = np.flatnonzero(of_class == label_class)
        order = columns[np.argsort(-alike[:, columns], axis=1, kind="stable")[:, : KEPT + 1]]
        for (item, _sha256), found, places in zip(disputed, nearest, order.tolist(), strict=True):
            others = [known[place][0] for place in places if known[place][0] != item]
            found += [[other, label_class] for other in others[:KEPT]]
    Lookalikes.objects.bulk_create(
        [
            Lookalikes(item_id=item, nearest=found)
            for (item, _sha256), found in zip(disputed, nearest, strict=True)
        ],
        update_conflicts=True,
        unique_fields=["item"],
        update_fields=["nearest"],
    )
