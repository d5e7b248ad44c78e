"""What embeddings say of near-duplicates, once they are there: a part of the job ``embed``, after it has told of them.

Those that fingerprints tell are compared; new photos that only their embeddings tell join the groups; and what was set aside
wrongly comes in. Each photo is compared with the newest of the project, so that one more costs the same in a large project.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_noop

from inference import backbones
from inference.alike import Alikeness
from inference.backbones import Backbone
from inference.store import EmbeddingStore
from labeling.catalog import set_aside, twins
from labeling.catalog.models import Item, Likeness, Project
from labeling.catalog.services import join, let_in
from labeling.jobs.progress import Progress
from labeling.learning.compute.embedding import Tally, embed_missing, project_of
from labeling.learning.compute.stores import device, embedder_for, store_of
from labeling.learning.models import LikenessSearch
from labeling.learning.services import request_embedding

#: With so many of the newest photos one is compared: a third of a second's reading.
NEWEST = 20_000
#: Photos, or pairs, between two looks at whether the job is to stop.
CHUNK = 1_000
#: After so long photos that came meanwhile are embedded first.
PATIENCE_S = 30.0
#: Bits of 256 that may differ where embeddings tell that two are alike: no more than when a camera moved a little. Photos
#: of other things differ in 128 +- 8.
LOOSE = 80


def compare(progress: Progress) -> None:
    """Bring the project's likenesses up to date with its embeddings; what takes long goes on in another job."""
    project = project_of(progress)
    backbone = backbones.load(project.backbone_name)
    store = store_of(backbone)
    _embed_set_aside(progress, project, backbone, store)
    _judge(progress, project, store)
    let_in(project)
    if not _search(progress, project, store):
        request_embedding(project=project)


def _embed_set_aside(progress: Progress, project: Project, backbone: Backbone, store: EmbeddingStore) -> None:
    pending = set_aside.waiting(project).filter(ratio__isnull=True)
    missing = store.missing(pending.values_list("image__sha256", flat=True))
    if not missing:
        return
    tally = Tally()
    embed_missing(
        store=store,
        embedder=embedder_for(backbone.name, device()),
        hashes=missing,
        tally=tally,
        report=lambda: progress.report(tally.done, len(missing), gettext_noop("Embedding photos")),
    )


@dataclass(frozen=True)
class _Photo:
    """``group``: its near-duplicates'; that of a photo that is out, theirs for which it is."""

    item: int
    image: int
    sha256: str
    group: int


class _Pool:
    """Photos that have an embedding, by image."""

    def __init__(self, photos: Iterable[_Photo], store: EmbeddingStore) -> None:
        given = {photo.image: photo for photo in photos}
        lacking = set(store.missing([photo.sha256 for photo in given.values()]))
        self.photos = [photo for photo in given.values() if photo.sha256 not in lacking]
        self.place = {photo.image: place for place, photo in enumerate(self.photos)}
        rows = store.rows([photo.sha256 for photo in self.photos])
        self.alike = Alikeness(rows, [photo.group for photo in self.photos])


def _newest(project: Project, *, up_to: int | None = None) -> list[_Photo]:
    items = Item.objects.filter(project=project)
    if up_to is not None:
        items = items.filter(pk__lte=up_to)
    return _photos(items.order_by("-pk").values_list("pk", "image", "image__sha256", "twins_of")[:NEWEST])


def _photos(rows: Iterable[tuple[int, int, str, int | None]]) -> list[_Photo]:
    return [_Photo(item, image, sha256, twins_of or item) for item, image, sha256, twins_of in rows]


def _judge(progress: Progress, project: Project, store: EmbeddingStore) -> None:
    """Give a ratio to each likeness that lacks one and whose photos have embeddings."""
    last = 0
    lacking = Likeness.objects.filter(project=project, ratio__isnull=True).select_related(
        "item__image", "image"
    )
    while some := list(lacking.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = some[-1].pk
        progress.check()
        pool = _Pool([*_newest(project), *_of_pairs(project, some)], store)
        there = [each for each in some if {each.image_id, each.item.image_id} <= pool.place.keys()]
        _measure(pool, there, [(each.item.image_id, each.image_id) for each in there])
        Likeness.objects.bulk_update([each for each in there if each.ratio is not None], ["ratio"])


def _of_pairs(project: Project, pairs: Sequence[Likeness]) -> list[_Photo]:
    """Both photos of each; one that is no item of the project is of the group of the one that it is like."""
    own = dict(
        Item.objects.filter(project=project, image__in=[each.image_id for each in pairs]).values_list(
            "image", "pk"
        )
    )
    found = []
    for each in pairs:
        group = each.item.twins_of or each.item_id
        found.append(_Photo(each.item_id, each.item.image_id, each.item.image.sha256, group))
        found.append(_Photo(own.get(each.image_id, 0), each.image_id, each.image.sha256, group))
    return found


def _measure(pool: _Pool, likenesses: Sequence[Likeness], images: Sequence[tuple[int, int]]) -> None:
    if not likenesses:
        return
    places = np.array([[pool.place[one], pool.place[other]] for one, other in images])
    ratios = pool.alike.ratios(places[:, 0], places[:, 1])
    for each, ratio in zip(likenesses, ratios.tolist(), strict=True):
        each.ratio = None if np.isnan(ratio) else min(ratio, 99.0)


def _search(progress: Progress, project: Project, store: EmbeddingStore) -> bool:
    """Compare the photos that came since the last search, and join what is found; whether none is left."""
    until = time.monotonic() + PATIENCE_S
    done, _ = LikenessSearch.objects.get_or_create(project=project)
    items = Item.objects.filter(project=project).order_by("pk")
    total = items.filter(pk__gt=done.up_to).count()
    looked = 0
    while new := list(items.filter(pk__gt=done.up_to).values_list("pk", "image")[:CHUNK]):
        progress.report(looked, total, gettext_noop("Looking for near-duplicates"))
        pool = _Pool(_newest(project, up_to=new[-1][0]), store)
        rows = [pool.place[image] for _item, image in new if image in pool.place]
        found = _found(project, pool, rows)
        with transaction.atomic():
            join(project, found)
            done.up_to = new[-1][0]
            done.save(update_fields=["up_to"])
        looked += len(new)
        progress.check()
        if time.monotonic() > until:
            return not items.filter(pk__gt=done.up_to).exists()
    return True


def _found(project: Project, pool: _Pool, rows: list[int]) -> list[Likeness]:
    pairs = {
        (min(pair), max(pair))
        for pair in pool.alike.find(np.array(rows, dtype=np.int64), below=Likeness.SURE)
    }
    marks = _fingerprints([pool.photos[place].image for pair in pairs for place in pair])
    found: list[Likeness] = []
    images: list[tuple[int, int]] = []
    for pair in sorted(pairs):
        first, second = sorted((pool.photos[place] for place in pair), key=lambda photo: photo.item)
        if not (marks[first.image] and marks[second.image]):
            continue  # it shows nothing that could be told
        bits = twins.differ(marks[first.image], marks[second.image])
        if bits <= LOOSE:
            found.append(Likeness(project=project, item_id=first.item, image_id=second.image, bits=bits))
            images.append((first.image, second.image))
    _measure(pool, found, images)
    return [each for each in found if each.ratio is not None and each.ratio < Likeness.SURE]


def _fingerprints(images: Sequence[int]) -> dict[int, bytes]:
    rows: Any = Item.objects.filter(image__in=images).values_list("image", "image__fingerprint")
    return {image: bytes(mark or b"") for image, mark in rows}
