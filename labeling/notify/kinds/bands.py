"""Bands that have what they need."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.notify.kinds.kind import NUMBER, WHOLE, Json, Kind, one_of, or_null
from labeling.queue.models import BandOpening

#: Openings that say that the band before is done; the others come of an admin, a model or a guideline.
CAUSES = (BandOpening.Cause.PACE, BandOpening.Cause.EXHAUSTED)


def _settled(rows: Sequence[str]) -> dict[str, Json]:
    told = {}
    for each in BandOpening.objects.filter(pk__in=rows):
        before = BandOpening.objects.filter(project=each.project_id, pk__lt=each.pk).first()
        told[str(each.pk)] = {
            "band": before.band if before else 0,
            "next": each.band,
            "cause": each.cause,
            "ground_truths": each.figures.get("ground_truths"),
            "agreement": each.figures.get("agreement"),
            "alpha": each.figures.get("alpha"),
        }
    return told


KINDS = [
    Kind(
        "band.settled",
        1,
        _("A band is settled"),
        "A band has what it needs (`pace`), or is used up (`exhausted`), and the next one opened. 0 is the outermost. "
        "`agreement`: share of its photos on which all blind answers agree; `alpha`: Krippendorff's.",
        {
            "band": WHOLE,
            "next": WHOLE,
            "cause": one_of(CAUSES),
            "ground_truths": or_null(WHOLE),
            "agreement": or_null(NUMBER),
            "alpha": or_null(NUMBER),
        },
        {"queue_bandopening": _settled},
    )
]
