"""The lab's curves: one line a strategy, accuracy against human decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from labeling.charts.axis import rounded_axis, share_axis
from labeling.charts.figure import COLUMN, Figure
from labeling.charts.marks import LOOKS, Guide, Series
from labeling.learning.templatetags.figures import share


def lab_figure(
    curves: Sequence[dict[str, Any]],
    labels: dict[str, Any],
    decisions: int,
    *,
    title: str,
    bands: bool = True,
) -> Figure:
    """``curves`` as a run's result has them; ``decisions``: where strategies were compared in words; ``bands``: whether
    95 % intervals are drawn.
    """
    rows = [point for curve in curves for point in curve["points"]]
    low, high = (
        end(point["accuracy"][name if bands else "value"] for point in rows)
        for end, name in ((min, "low"), (max, "high"))
    )
    return Figure(
        rounded_axis(
            _("human decisions, reviews included"),
            0,
            max(point["decisions"] for point in rows),
            lambda each: f"{each:.0f}",
            finest=1,
        ),
        share_axis(_("accuracy"), low, high, share),
        [
            Guide(decisions),
            *(
                _series(curve, str(labels.get(curve["name"], curve["name"])), look % LOOKS, bands)
                for look, curve in enumerate(curves)
            ),
        ],
        title=title,
        sizes=COLUMN,
    )


def _series(curve: dict[str, Any], label: str, look: int, bands: bool) -> Series:
    accuracy = [point["accuracy"] for point in curve["points"]]
    return Series(
        curve["name"],
        label,
        [each["value"] for each in accuracy],
        look=look,
        low=[each["low"] for each in accuracy] if bands else None,
        high=[each["high"] for each in accuracy] if bands else None,
        xs=[point["decisions"] for point in curve["points"]],
    )
