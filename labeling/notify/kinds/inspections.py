"""Verdicts on inspections."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.inspections.models import Outcome, Verdict
from labeling.notify.kinds.kind import NUMBER, SWITCH, TEXT, WHOLE, Json, Kind, one_of, or_null


def _decided(rows: Sequence[str]) -> dict[str, Json]:
    found = Verdict.objects.filter(pk__in=rows).select_related("inspection__protocol")
    return {
        str(each.pk): {
            "inspection": each.inspection_id,
            "external_id": each.inspection.external_id,
            "protocol": each.inspection.protocol.slug,
            "verdict": each.number,
            "outcome": each.outcome,
            "overruled": each.by_id is not None,
            "bound": each.bound,
        }
        for each in found
    }


KINDS = [
    Kind(
        "inspection.decided",
        1,
        _("An inspection has a verdict"),
        "An inspection has a verdict, or another one: the greatest `verdict` is in force. `bound`: lower bound of the "
        "whole's precision, where machines decided parts of it. Of a protocol that asks several projects only endpoints of "
        "the whole site hear it.",
        {
            "inspection": WHOLE,
            "external_id": TEXT,
            "protocol": TEXT,
            "verdict": WHOLE,
            "outcome": one_of(Outcome.values),
            "overruled": SWITCH,
            "bound": or_null(NUMBER),
        },
        {"inspections_verdict": _decided},
    )
]
