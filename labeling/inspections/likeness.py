"""A photo that was taken for one shot and sent for another too, though saved anew: by its fingerprint, so at once."""

from __future__ import annotations

from collections.abc import Sequence

from labeling.catalog.models import Image
from labeling.catalog.twins import MOST, differ
from labeling.inspections.models import Inspection, InspectionPhoto


def like_another_shot(inspection: Inspection, photos: Sequence[tuple[int, Image]]) -> set[int]:
    """Ids of those images that are nearly the same as one that is taken for another shot, or as one in front of them.

    ``photos``: (shot id, image), in order. Pictures of one colour have no fingerprint, and are like nothing.
    """
    taken = InspectionPhoto.objects.filter(inspection=inspection, faults=[], image__isnull=False)
    before = [(shot, bytes(each or b"")) for shot, each in taken.values_list("shot", "image__fingerprint")]
    found = set()
    for shot, image in photos:
        own = bytes(image.fingerprint or b"")
        if own and any(other != shot and each and differ(own, each) <= MOST for other, each in before):
            found.add(image.pk)
        else:
            before.append((shot, own))
    return found
