"""Weeks that are over, with what they came to (:mod:`labeling.overview.week`)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Project
from labeling.notify.kinds.kind import NUMBER, TEXT, WHOLE, Json, Kind, or_null
from labeling.overview.week.report import NoSuchWeek, report

OVER = "week.over"


def _over(rows: Sequence[str]) -> dict[str, Json]:
    told = {}
    for row in rows:
        pk, _slash, name = row.partition("/")
        project = Project.objects.filter(pk=int(pk)).first()
        if project is None:
            continue
        try:
            now = report(project, name).now
        except NoSuchWeek:  # before what the project looks back to now
            continue
        told[row] = {
            "week": name,
            "decided": now.done.decided,
            "settled": now.done.settled,
            "overruled": now.done.overruled,
            "hours_saved": now.hours.saved,
            "certificates": len(now.certificates),
            "suspended": now.suspended,
            "alerts": len(now.alerts),
        }
    return told


KINDS = [
    Kind(
        OVER,
        1,
        _("A week is over"),
        "What a week came to (2026-W47, in the server's time zone): photos that the machine `decided` and that people "
        "`settled`, decisions that were `overruled`, hours of people saved (an estimate), `certificates` that stood at its "
        "end, `suspended` ones, and `alerts` of monitors.",
        {
            "week": TEXT,
            "decided": WHOLE,
            "settled": WHOLE,
            "overruled": WHOLE,
            "hours_saved": or_null(NUMBER),
            "certificates": WHOLE,
            "suspended": WHOLE,
            "alerts": WHOLE,
        },
        {"catalog_project": _over},
    )
]
