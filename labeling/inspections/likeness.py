"""A photo that was taken for one shot and sent for another too, though saved anew: by its fingerprint, so at once."""

from __future__ import annotations

from labeling.catalog.twins import MOST, differ
from labeling.inspections.models import Inspection, InspectionPhoto


class Shown:
    """What the photos of an inspection look like; ``None``: of one that has none yet."""

    def __init__(self, inspection: Inspection | None) -> None:
        taken = InspectionPhoto.objects.filter(inspection=inspection, faults=[], image__isnull=False)
        rows = taken.values_list("shot", "image__fingerprint") if inspection is not None else ()
        self._before = [(shot, bytes(each or b"")) for shot, each in rows]

    def for_another(self, shot: int, fingerprint: bytes) -> bool:
        """Whether it is nearly the same as one that is taken for another shot (id); otherwise it is one of them from now on.

        Pictures of one colour have no fingerprint, and are like nothing.
        """
        if fingerprint and any(
            other != shot and each and differ(fingerprint, each) <= MOST for other, each in self._before
        ):
            return True
        self._before.append((shot, fingerprint))
        return False
