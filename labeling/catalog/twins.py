"""Near-duplicates of a project: one picture, saved again. Each group is named by its oldest photo's id.

What a group is good for, the rooms above decide: they keep its photos on one side of every split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from labeling.catalog.models import Image, Item, Project

#: Bits of 256 that may differ. Measured on solar cells saved again: `docs/decisions/0021-near-duplicates.md`.
MOST = 12
#: Where a photo has so many near-duplicates, no more are looked for. They are each other's, so one tells the group.
MOST_FOUND = 1000

# The index finds those with a part in common; the database counts their bits, so that none is passed over.
_NEAR = """
SELECT * FROM (
    SELECT i.id, coalesce(i.twins_of, i.id),
           bit_count(('x' || encode(g.fingerprint, 'hex'))::bit(256) # ('x' || %(own)s)::bit(256)) AS bits
    FROM catalog_image g JOIN catalog_item i ON i.image_id = g.id AND i.project_id = %(project)s
    WHERE g.fingerprint_parts && %(parts)s::int[] AND g.id <> %(image)s) near
WHERE bits <= %(most)s LIMIT %(found)s
"""


def parts(fingerprint: bytes) -> list[int]:
    """A fingerprint as the index looks it up: sixteen parts of sixteen bits, each with its place in front as one number.

    Fingerprints that differ in fewer bits than there are parts have one in common (Norouzi et al. 2012, "Fast search in
    Hamming space with multi-index hashing").
    """
    return [
        place << 16 | int.from_bytes(fingerprint[2 * place :][:2]) for place in range(len(fingerprint) // 2)
    ]


def alike(project: Project, image: Image) -> list[tuple[int, int, int]]:
    """(item, the group it is in or would found, bits that differ) of the project's photos that are nearly ``image``."""
    if not image.fingerprint:
        return []
    asked = {
        "own": bytes(image.fingerprint).hex(),
        "parts": image.fingerprint_parts,
        "project": project.pk,
        "image": image.pk,
        "most": MOST,
        "found": MOST_FOUND,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, asked)
        return cursor.fetchall()


def group(project: Project, items: Sequence[Item]) -> None:
    """Put new photos into the groups of those they are nearly the same as. Groups that they join become one."""
    for item in items:
        found = alike(project, item.image)
        if not found:
            continue
        groups = {name for _item, name, _bits in found} | {item.twins_of or item.pk}
        oldest = min(groups)
        members = Item.objects.filter(project=project)
        members.filter(twins_of__in=groups - {oldest}).update(twins_of=oldest)
        members.filter(pk__in={item.pk, oldest} | {twin for twin, _name, _bits in found}).update(twins_of=oldest)
        item.twins_of = oldest


def late(project: Project, images: Sequence[Image]) -> set[int]:
    """Ids of those images that are nearly the same as one of the project's, or as one in front of them in the list.

    What the project holds already is no near-duplicate of itself.
    """
    there = set(Item.objects.filter(project=project, image__in=images).values_list("image", flat=True))
    found: set[int] = set()
    before: list[bytes] = []
    for image in images:
        if image.pk in there or not image.fingerprint:
            continue
        own = bytes(image.fingerprint)
        if alike(project, image) or any(differ(own, each) <= MOST for each in before):
            found.add(image.pk)
        before.append(own)
    return found


def differ(one: bytes, other: bytes) -> int:
    """Bits that differ."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@dataclass(frozen=True, slots=True)
class Group:
    """Photos that are nearly the same, oldest first."""

    items: list[Item]


def page_of_groups(project: Project, *, after: int = 0, limit: int = 30) -> tuple[list[Group], int | None]:
    """Groups behind the one named ``after``, oldest first, and the cursor of the next page."""
    kept = Item.objects.filter(project=project, twins_of__gt=after)
    names = list(kept.order_by("twins_of").values_list("twins_of", flat=True).distinct()[: limit + 1])
    members: dict[int | None, list[Item]] = {name: [] for name in names[:limit]}
    for item in (
        Item.objects.filter(project=project, twins_of__in=names[:limit])
        .select_related("image")
        .order_by("pk")
    ):
        members[item.twins_of].append(item)
    return [Group(items) for items in members.values()], names[limit - 1] if len(names) > limit else None


def count(project: Project) -> int:
    """How many of the project's photos are in a group."""
    return Item.objects.filter(project=project, twins_of__isnull=False).count()
