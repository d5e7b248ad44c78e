"""What an admin is shown of near-duplicates: groups, what did not come in for them, and what embeddings say of either."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labeling.catalog import set_aside, twins
from labeling.catalog.models import Image, Item, Likeness, Project


@dataclass(slots=True)
class Told:
    """What is known of why a photo is near an earlier one: ``ratio`` and ``bits`` of the nearest by either."""

    ratio: float | None = None
    bits: int = 0
    set_aside: bool = False

    @property
    def confirmed(self) -> bool | None:
        """By the embeddings; ``None`` until they are compared."""
        return None if self.ratio is None else self.ratio < Likeness.SURE

    @property
    def by_embedding_alone(self) -> bool:
        return self.bits > twins.MOST


@dataclass(slots=True)
class Member:
    """``told`` is ``None`` for the photo that was first. ``like``: names of what a photo is out for."""

    image: Image
    name: str
    told: Told | None = None
    like: list[str] = field(default_factory=list)


def page_of_groups(
    project: Project, *, after: int = 0, limit: int = 30
) -> tuple[list[list[Member]], int | None]:
    """Groups behind the one named ``after``, oldest first, and the cursor of the next page."""
    kept = Item.objects.filter(project=project, twins_of__gt=after)
    names = list(kept.order_by("twins_of").values_list("twins_of", flat=True).distinct()[: limit + 1])
    shown = Item.objects.filter(project=project, twins_of__in=names[:limit]).select_related("image")
    items = list(shown.order_by("pk"))
    told = _told(Likeness.objects.filter(project=project, image__in=[item.image_id for item in items]))
    groups: dict[int | None, list[Member]] = {name: [] for name in names[:limit]}
    for item in items:
        groups[item.twins_of].append(Member(item.image, item.name, told.get(item.image_id)))
    return list(groups.values()), names[limit - 1] if len(names) > limit else None


def out(project: Project, *, limit: int = 60) -> tuple[list[Member], int]:
    """The newest photos that did not come in for their likeness, and how many there are."""
    rows = set_aside.waiting(project)
    images = list(rows.order_by("-image").values_list("image", flat=True).distinct()[:limit])
    shown = list(rows.filter(image__in=images))
    told = _told(shown)
    names = set_aside.names(project, images)
    found: dict[int, Member] = {}
    for row in shown:
        member = Member(row.image, names.get(row.image_id, ""), told[row.image_id])
        found.setdefault(row.image_id, member).like.append(row.item.name)
    newest = sorted(found.values(), key=lambda member: -member.image.pk)
    return newest, rows.order_by().values("image").distinct().count()


def _told(likenesses: Iterable[Likeness]) -> dict[int, Told]:
    found: dict[int, Told] = {}
    for each in likenesses:
        told = found.setdefault(each.image_id, Told(each.ratio, each.bits, each.set_aside))
        told.bits = min(told.bits, each.bits)
        if each.ratio is not None and (told.ratio is None or each.ratio < told.ratio):
            told.ratio = each.ratio
    return found
