"""Photos that rules alone could not settle, and how that ended."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.notify.kinds.kind import PHOTO, TEXT, UUID, WHOLE, Json, Kind, one_of, or_null, photo
from labeling.truth.models import Dispute, DisputeCause, Outcome, Ruling


def _opened(rows: Sequence[str]) -> dict[str, Json]:
    found = Dispute.objects.filter(pk__in=rows).select_related("item__image")
    return {
        str(each.pk): {"dispute": str(each.pk), "photo": photo(each.item), "cause": each.cause}
        for each in found
    }


def _ruled(rows: Sequence[str]) -> dict[str, Json]:
    found = Ruling.objects.filter(pk__in=rows).select_related(
        "dispute__item__image", "label_class", "guideline"
    )
    return {
        str(each.pk): {
            "dispute": str(each.dispute_id),
            "photo": photo(each.dispute.item),
            "outcome": each.outcome,
            "class": each.label_class.key if each.label_class else None,
            "guideline": each.guideline.number,
        }
        for each in found
    }


KINDS = [
    Kind(
        "dispute.opened",
        1,
        _("A dispute is opened"),
        "A photo went to review.",
        {"dispute": UUID, "photo": PHOTO, "cause": one_of(DisputeCause.values)},
        {"truth_dispute": _opened},
    ),
    Kind(
        "dispute.ruled",
        1,
        _("A dispute is ruled on"),
        "A dispute ended: a reviewer ruled on it, or its cause is gone (`withdrawn`).",
        {
            "dispute": UUID,
            "photo": PHOTO,
            "outcome": one_of(Outcome.values),
            "class": or_null(TEXT),
            "guideline": WHOLE,
        },
        {"truth_ruling": _ruled},
    ),
]
