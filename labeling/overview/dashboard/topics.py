"""The order of the plots on the page: the one that changed most first, the others folded by what they are about.

How much a plot changed is told by its leading figure (``Panel.course``): where it stands now, and where it stood seven days
ago or at the end of the step of time before. The difference is taken in proportion to the larger of the two, so that hours
and shares can be compared; the plots that have no course over time (what a model version is like) do not compete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from labeling.overview.dashboard.panel import Panel, shown

OVER = timedelta(days=7)


@dataclass(frozen=True)
class Change:
    """From ``before``, as it stood at ``since``, to ``now``; ``share``: of the larger of the two."""

    panel: Panel
    since: Any
    before: float
    now: float

    @property
    def share(self) -> float:
        return abs(self.now - self.before) / (max(abs(self.now), abs(self.before)) or 1.0)

    @property
    def says(self) -> str:
        return _(
            "This changed most: from %(before)s (%(since)s) to %(now)s, in proportion more than any other plot over time."
        ) % {
            "before": shown(self.before, self.panel.unit),
            "since": shown(self.since, self.panel.columns[0].unit),
            "now": shown(self.now, self.panel.unit),
        }


@dataclass(frozen=True)
class Topic:
    key: str
    name: str
    panels: list[Panel]

    @property
    def finding(self) -> str:
        """Of its first plot that has one."""
        return next((each.title for each in self.panels if each.rows), "")


def most_changed(panels: Sequence[Panel]) -> Change | None:
    """None where no plot has seven days behind it, or none changed."""
    changes = [change for each in panels if (change := _change(each)) is not None and change.share > 0]
    return max(changes, key=lambda change: change.share, default=None)


def _change(panel: Panel) -> Change | None:
    time = panel.columns[0].name
    known = [
        (row[time], value) for row, value in zip(panel.rows, panel.course, strict=False) if value is not None
    ]
    if not known:
        return None
    moment, now = known[-1]
    # A moment stands until the next; a step of time that is not over is the present one.
    steps = known if isinstance(moment, datetime) else known[:-1]
    before = [(at, value) for at, value in steps if _day(at) <= timezone.localdate() - OVER]
    return Change(panel, before[-1][0], before[-1][1], now) if before else None


def _day(at: date | datetime) -> date:
    return timezone.localtime(at).date() if isinstance(at, datetime) else at


def topics(panels: Sequence[Panel], but: Panel) -> list[Topic]:
    """All but the plot that leads."""
    named = (
        ("frontier", _("Frontier"), ("frontier",)),
        ("work", _("Work and cost"), ("per-decision", "decided", "hours")),
        ("people", pgettext("figures", "People"), ("agreement",)),
        ("model", _("Model"), ("learning", "confusion", "reliability")),
        ("photos", _("New photos"), ("drift",)),
    )
    by_key = {each.key: each for each in panels if each is not but}
    return [Topic(key, name, [by_key[each] for each in keys if each in by_key]) for key, name, keys in named]
