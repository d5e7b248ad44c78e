"""The classes beside a dispute: what the criteria say, and photos that were called so and look like the one in dispute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from labeling.catalog.models import ClassDefinition, Image, Item, Project
from labeling.catalog.selectors import active_definitions
from labeling.truth import similar

SIMILAR_PER_CLASS = 4
#: Classes whose photos and criteria are shown with a dispute, beside the two that stand next to the photo.
MOST_BELOW = 8


@dataclass(frozen=True)
class AlikePhoto:
    image: Image
    name: str


@dataclass(frozen=True)
class ClassSide:
    """A class as the review page shows it: what the criteria say, and photos that were called so.

    ``position``: from 0, in the guideline's order, as its colour and shape are chosen by. ``alike``: whether the photos are
    settled ones that look like the one in dispute, or else the guideline's exemplars.
    """

    definition: ClassDefinition
    position: int
    key: str
    votes: int
    photos: list[AlikePhoto] = field(default_factory=list)
    alike: bool = False


def sides_of(
    project: Project, item: Item, votes: Mapping[str, int]
) -> tuple[list[ClassSide], list[ClassSide], list[ClassSide]]:
    """Every class; the two that stand beside the photo; those below it. ``votes``: answers by the key of their class.

    With two classes, both stand beside the photo; with more, the two that most answers name, and below it others that were
    answered, or of which something alike is settled.
    """
    nearest = similar.similar_settled(project, item.pk, limit=SIMILAR_PER_CLASS)
    sides = [
        ClassSide(
            definition=definition,
            position=position,
            key=definition.label_class.key,
            votes=votes.get(definition.label_class.key, 0),
        )
        for position, definition in enumerate(active_definitions(project))
    ]
    # The answers' classes first; then those of which something alike is settled, the most alike first.
    order = list(nearest)
    rank = {label_class: place for place, label_class in enumerate(order)}
    most = sorted(
        sides,
        key=lambda side: (-side.votes, rank.get(side.definition.label_class_id, len(order)), side.position),
    )
    few = len(sides) <= 2 + MOST_BELOW
    below = [side for side in most[2:] if few or side.votes or side.definition.label_class_id in rank][
        :MOST_BELOW
    ]
    shown = [*sorted(most[:2], key=lambda side: side.position), *below]
    wanted = [i for side in shown for i in nearest.get(side.definition.label_class_id, [])]
    items = Item.objects.select_related("image").in_bulk(wanted)
    whole = [_with_photos(side, nearest, items) for side in shown]
    return sides, whole[:2], whole[2:]


def _with_photos(side: ClassSide, nearest: dict[int, list[int]], items: dict[int, Item]) -> ClassSide:
    """Settled photos that look alike; the guideline's exemplars as long as nothing that is settled can be compared."""
    if nearest:
        alike = [items[i] for i in nearest.get(side.definition.label_class_id, []) if i in items]
        return replace(side, photos=[AlikePhoto(each.image, each.name) for each in alike], alike=True)
    exemplars = list(side.definition.exemplars.all())[:SIMILAR_PER_CLASS]
    return replace(side, photos=[AlikePhoto(each.image, each.caption) for each in exemplars])
