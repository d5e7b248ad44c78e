"""Near-duplicates of a project: one picture, saved again. Each group is named by its oldest photo's id.

What a group is good for, the rooms above decide: they keep its photos on one side of every split. A group is of candidates:
what their embeddings say of them is kept beside (:class:`~labeling.catalog.models.Likeness`), and what only the
embeddings tell joins a group later. A photo that did not come in for its likeness is in ``set_aside``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from labeling.catalog.models import Image, Item, Likeness, Project
from labeling.database import locks
from labeling.database.locks import Lock

#: Bits of 256 that may differ. Measured on solar cells saved again: `docs/decisions/0021-near-duplicates.md`.
MOST = 12
#: Where a photo has so many near-duplicates, no more are looked for. They are each other's, so one tells the group.
MOST_FOUND = 1000
#: So many likenesses of a photo are kept, the nearest: what they say of the others is the same.
KEPT = 5

# The index finds those with a part in common; the database counts their bits, so that none is passed over.
_NEAR = """
SELECT * FROM (
    SELECT i.id,
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


def alike(project: Project, image: Image) -> list[tuple[int, int]]:
    """(item, bits that differ) of the project's photos that are nearly ``image``."""
    if not image.fingerprint:
        return []
    asked: dict[str, Any] = {
        "own": bytes(image.fingerprint).hex(),
        "parts": image.fingerprint_parts,
        "project": project.pk,
        "image": image.pk,
        "most": MOST,
        "found": MOST_FOUND,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, asked)
        return [(item, bits) for item, bits in cursor.fetchall()]


def group(project: Project, items: Sequence[Item]) -> None:
    """Put new photos into the groups of those they are nearly the same as. Groups that they join become one."""
    for item in items:
        found = alike(project, item.image)
        if not found:
            continue
        keep(project, item.image, found)
        item.twins_of = _merge(project, {item.pk} | {twin for twin, _bits in found})


def keep(
    project: Project, image: Image, found: Sequence[tuple[int, int]], *, set_aside: bool = False
) -> None:
    """Write down what ``alike`` found of a photo."""
    nearest = sorted(found, key=lambda each: each[1])[:KEPT]
    Likeness.objects.bulk_create(
        [
            Likeness(project=project, item_id=item, image=image, bits=bits, set_aside=set_aside)
            for item, bits in nearest
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def join(project: Project, likenesses: Sequence[Likeness]) -> None:
    """Put photos that only their embeddings tell alike into one group; ``image`` is an item's here."""
    locks.hold(Lock.ITEMS, project.pk)
    images = [each.image_id for each in likenesses]
    own = dict(Item.objects.filter(project=project, image__in=images).values_list("image", "pk"))
    for each in likenesses:
        _merge(project, {each.item_id, own[each.image_id]})
    Likeness.objects.bulk_create(likenesses, ignore_conflicts=True)


def _merge(project: Project, items: set[int]) -> int:
    """Make these photos and the groups that they are in one group; return its name."""
    members = Item.objects.filter(project=project)
    named = dict(members.filter(pk__in=items).values_list("pk", "twins_of"))
    groups = {name or pk for pk, name in named.items()}
    oldest = min(groups)
    members.filter(Q(pk__in=items) | Q(twins_of__in=groups)).exclude(twins_of=oldest).update(twins_of=oldest)
    return oldest


def late(project: Project, images: Sequence[Image]) -> set[int]:
    """Ids of those images that are nearly the same as one of the project's, or as one in front of them that comes in.

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
        else:
            before.append(own)
    return found


def differ(one: bytes, other: bytes) -> int:
    """Bits that differ."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def count(project: Project) -> int:
    """How many of the project's photos are in a group."""
    return Item.objects.filter(project=project, twins_of__isnull=False).count()
