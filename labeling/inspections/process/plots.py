"""How the process went, day by day: how many, how much of it without people, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.charts.axis import Axis, share_axis
from labeling.charts.figure import Figure
from labeling.charts.marks import Series
from labeling.inspections.models import Outcome
from labeling.inspections.process.figures import Counted, Figures
from labeling.inspections.process.words import took
from labeling.text.percentage import percentage


def plots(found: Figures, names: Mapping[str, str]) -> list[Figure]:
    """Each says its finding; none where nothing came in. ``names``: outcome -> what the protocol calls it."""
    if not found.total.n:
        return []
    days = _days(found)
    return [_inspections(days, names), _straight(found, days), _minutes(found, days)]


def _days(found: Figures) -> list[tuple[date, Counted]]:
    """Every whole day of which all is counted, those without inspections too."""
    known, day, days = dict(found.by_day), found.since.date() + timedelta(days=found.cut), []
    while day <= timezone.localdate():
        days.append((day, known.get(day, Counted())))
        day += timedelta(days=1)
    return days


def _figure(days: list[tuple[date, Counted]], y: Axis, title: str, *series: Series) -> Figure:
    ticks = [(float(at), date_format(day, _("j M"))) for at, (day, _counted) in enumerate(days)]
    return Figure(
        Axis(_("day"), ticks=ticks),
        y,
        series,
        xs=[at for at, _text in ticks],
        title=title,
        begins=_("tomorrow"),
    )


def _inspections(days: list[tuple[date, Counted]], names: Mapping[str, str]) -> Figure:
    mean = sum(each.n for _day, each in days) / max(1, len(days))
    series = [
        Series(
            outcome.value,
            names[outcome],
            [float(getattr(each, outcome)) for _day, each in days],
            "bar",
            look,
        )
        for look, outcome in enumerate((Outcome.PASSED, Outcome.HELD, Outcome.FAILED))
    ]
    said = f"{mean:.0f}" if mean >= 10 else f"{mean:.2g}"
    title = ngettext("One inspection a day", "%(n)s inspections a day", 1 if said == "1" else 2) % {"n": said}
    return _figure(days, Axis(_("inspections")), title, *series)


def _straight(found: Figures, days: list[tuple[date, Counted]]) -> Figure:
    share = found.total.straight_share or 0.0
    return _figure(
        days,
        share_axis(_("per cent decided without people"), text=lambda share: f"{100 * share:.0f}"),
        _("%(share)s were decided without people") % {"share": percentage(share)},
        Series("straight", "", [each.straight_share for _day, each in days]),
    )


def _minutes(found: Figures, days: list[tuple[date, Counted]]) -> Figure:
    total = found.total
    title = (
        _("Of those decided, half had their verdict within %(median)s, 95\u00a0%% within %(p95)s")
        % {"median": took(total.median), "p95": took(total.p95)}
        if total.median is not None
        else _("None has its verdict yet")
    )
    return _figure(
        days,
        Axis(_("minutes to the verdict")),
        title,
        Series("median", _("Median"), [each.median for _day, each in days], look=0),
        Series("p95", _("95th percentile"), [each.p95 for _day, each in days], look=1),
    )
