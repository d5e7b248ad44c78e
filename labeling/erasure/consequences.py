"""What an erasure takes with it, what it leaves, and what cannot be taken back: said before it is asked for, and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count

from labeling.catalog.models import Exemplar, Image, Item, Project, WatchedFile
from labeling.erasure.scopes import photos_of
from labeling.frontier.erased import certificates_that_rest
from labeling.frontier.models import AutomaticDecision
from labeling.learning.erased import versions_that_learned
from labeling.truth.models import Annotation, Gold, GroundTruth

#: Of photos that are counted before somebody asks.
PAGES = 10


@dataclass(frozen=True)
class Consequences:
    """``size`` in bytes. ``elsewhere``: photos whose bytes stay, as another project holds them.

    ``answers``, ``truths``, ``decisions``: records that stay, without content. ``models``: number of each version that
    learned from some of them, and from how many; ``certificates``: id and class key of those that rest on some; ``files``:
    address of each watched source where some of the files still lie, and how many: there, Hilltop only reads.
    """

    photos: int
    size: int
    elsewhere: int
    gold: int
    exemplars: int
    answers: int
    truths: int
    decisions: int
    models: list[tuple[int, int]]
    certificates: list[tuple[int, str]]
    files: list[tuple[str, int]] = field(default_factory=list)

    def __add__(self, other: Consequences) -> Consequences:
        """Of both, where they are of different photos."""
        learned = Counter(dict(self.models)) + Counter(dict(other.models))
        resting = {(pk, key) for pk, key in [*self.certificates, *other.certificates]}
        files = Counter(dict(self.files)) + Counter(dict(other.files))
        counted = {name: getattr(self, name) + getattr(other, name) for name in _COUNTED}
        return Consequences(
            **counted,
            models=sorted(learned.items()),
            certificates=sorted(resting),
            files=sorted(files.items()),
        )


_COUNTED = ("photos", "size", "elsewhere", "gold", "exemplars", "answers", "truths", "decisions")


def consequences(project: Project, item_ids: Sequence[int]) -> Consequences:
    """Of these photos, while the project holds them."""
    size, elsewhere, gold, exemplars = _photos(project, item_ids)
    return Consequences(
        photos=len(item_ids),
        size=size,
        elsewhere=elsewhere,
        gold=gold,
        exemplars=exemplars,
        answers=Annotation.objects.filter(item__in=item_ids).count(),
        truths=GroundTruth.objects.filter(item__in=item_ids).exclude(kind="withdrawn").count(),
        decisions=AutomaticDecision.objects.filter(item__in=item_ids).count(),
        models=versions_that_learned(project, item_ids),
        certificates=[(each.pk, each.label_class.key) for each in certificates_that_rest(project, item_ids)],
        files=_files(project, item_ids),
    )


def foreseen(project: Project, **asked: Any) -> tuple[Consequences, bool]:
    """Of the photos that are asked for, as :func:`~labeling.erasure.scopes.photos_of` takes them, and whether there may be
    more: a page counts :data:`PAGES` pages of them and no further."""
    page = photos_of(project, **asked)
    ids = page.ids
    for _page in range(PAGES - 1):
        if page.next is None:
            break
        page = photos_of(project, **asked, after=page.next)
        ids += page.ids
    return consequences(project, ids), page.next is not None


def _files(project: Project, item_ids: Sequence[int]) -> list[tuple[str, int]]:
    there = WatchedFile.objects.filter(source__project=project, gone_at__isnull=True)
    by_source = (
        there.filter(file__image__items__in=item_ids)
        .values_list("source__address")
        .order_by("source__address")
    )
    return list(by_source.annotate(n=Count("file__image", distinct=True)))


def _photos(project: Project, item_ids: Sequence[int]) -> tuple[int, int, int, int]:
    images = Image.objects.filter(items__in=item_ids)
    others = Item.objects.filter(image__in=images, project__isnull=False).exclude(project=project)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(g.size), 0) FROM catalog_item i JOIN catalog_image g ON g.id = i.image_id "
            "WHERE i.id = ANY(%s)",
            [list(item_ids)],
        )
        ((size,),) = cursor.fetchall()
    return (
        int(size),
        others.values("image").distinct().count(),
        Gold.objects.filter(item__in=item_ids, retired_at__isnull=True).count(),
        Exemplar.objects.filter(image__in=images, definition__guideline__project=project)
        .values("image")
        .distinct()
        .count(),
    )
