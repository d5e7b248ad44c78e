"""Verdicts on inspections, and inspections that wait for one too long."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.inspections.models import Outcome, OverdueInspection, Verdict
from labeling.notify.kinds.kind import MOMENT, NUMBER, SWITCH, TEXT, WHOLE, Json, Kind, one_of, or_null


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


def _overdue(rows: Sequence[str]) -> dict[str, Json]:
    found = OverdueInspection.objects.filter(pk__in=rows).select_related("inspection__protocol")
    return {
        str(each.pk): {
            "inspection": each.inspection_id,
            "external_id": each.inspection.external_id,
            "protocol": each.inspection.protocol.slug,
            "due_at": each.due_at.isoformat(),
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
    ),
    Kind(
        "inspection.overdue",
        1,
        _("An inspection is overdue"),
        "A held inspection was still held when its protocol's service level ran out. Told once an inspection, within an "
        "hour of `due_at`, and to whom its verdicts are told.",
        {"inspection": WHOLE, "external_id": TEXT, "protocol": TEXT, "due_at": MOMENT},
        {"inspections_overdueinspection": _overdue},
    ),
]
