"""The figures of model versions: the learning curve over them, one's own curve with its forecast, its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.charts.axis import Axis, rounded_axis, share_axis
from labeling.charts.figure import COLUMN, SQUARE, Figure
from labeling.charts.marks import Guide, Series, Spot
from labeling.learning.models import ModelVersion
from labeling.learning.templatetags.figures import share
from labeling.truth.estimates import Proportion


def learning_curve(versions: Sequence[ModelVersion], champion_id: int | None, slug: str) -> Figure | None:
    """Accuracy against ground truths, a point a version; ``None`` with fewer than two. ``slug``: the project's."""
    known = sorted(
        (version.metrics["cross_validated"]["n"], version.number, version)
        for version in versions
        if version.metrics["cross_validated"]["accuracy"]
    )
    if len(known) < 2:
        return None
    ground_truths = [n for n, _number, _version in known]
    figures = [version.metrics["cross_validated"]["accuracy"] for _n, _number, version in known]
    spots = [
        Spot(
            _("Version %(number)s: %(value)s at %(n)s ground truths, 95\u00a0%% interval %(low)s to %(high)s")
            % {"number": number, "n": n, **{name: share(figure[name]) for name in ("value", "low", "high")}},
            link=reverse("model", args=[slug, number]),
            look="best" if version.pk == champion_id else "",
        )
        for (n, number, version), figure in zip(known, figures, strict=True)
    ]
    return Figure(
        rounded_axis(_("ground truths"), 0, ground_truths[-1], lambda each: f"{each:.0f}", finest=1),
        share_axis(_("accuracy"), min(each["low"] for each in figures), text=share),
        [
            Series(
                "accuracy",
                "",
                [each["value"] for each in figures],
                low=[each["low"] for each in figures],
                high=[each["high"] for each in figures],
                spots=spots,
            )
        ],
        xs=ground_truths,
        title=_finding(ground_truths, figures),
        sizes=COLUMN,
    )


def _finding(ground_truths: Sequence[int], figures: Sequence[dict[str, float]]) -> str:
    first, last = figures[0], figures[-1]
    told = {
        "before": share(first["value"]),
        "fewer": ground_truths[0],
        "now": share(last["value"]),
        "more": ground_truths[-1],
    }
    if last["low"] > first["value"]:
        return _("Accuracy rose from %(before)s at %(fewer)d to %(now)s at %(more)d ground truths") % told
    if last["high"] < first["value"]:
        return _("Accuracy fell from %(before)s at %(fewer)d to %(now)s at %(more)d ground truths") % told
    return (
        _("No clear change yet: accuracy %(before)s at %(fewer)d, %(now)s at %(more)d ground truths") % told
    )


def forecast(
    points: Sequence[dict[str, Any]], forecast: dict[str, Any], wish: dict[str, Any] | None, *, title: str
) -> Figure:
    """A version's own curve up to the ground truths of today, and on from there within its band.

    ``points`` and ``forecast`` as in ``Diagnostics.findings``; ``wish``: an entry of ``forecast["reach"]``, drawn as a
    level line with the interval of ground truths that reach it.
    """
    band, labels = forecast["band"], forecast["labels"]
    first, last = band[0]["n"], band[-1]["n"]
    measured = [point for point in points if first <= point["n"] <= last]
    now = {"n": labels, "value": forecast["now"]["value"]}
    known = [*(each for each in band if each["n"] <= labels), now]
    ahead = [now, *(each for each in band if each["n"] > labels)]
    y = share_axis(_("accuracy"), min(band[0]["low"], *(each["accuracy"] for each in points)), text=share)
    guides = [Guide(labels, text=_("now"))]
    if wish is not None and wish["accuracy"] >= (y.low or 0.0):
        reached = wish["low"] is not None and wish["high"] is not None
        span = (labels + wish["low"], labels + wish["high"]) if reached else None
        guides.append(Guide(y=wish["accuracy"], span=span, look="wish"))
    return Figure(
        Axis(_("ground truths (logarithmic)"), first, last, scale="log"),
        y,
        [
            *guides,
            Series(
                "band",
                "",
                [None] * len(band),
                low=[each["low"] for each in band],
                high=[each["high"] for each in band],
                xs=[each["n"] for each in band],
            ),
            Series(
                "known", "", [each["value"] for each in known], xs=[each["n"] for each in known], bare=True
            ),
            Series(
                "ahead",
                "",
                [each["value"] for each in ahead],
                look=1,
                xs=[each["n"] for each in ahead],
                bare=True,
            ),
            Series(
                "measured",
                "",
                [each["accuracy"] for each in measured],
                "dots",
                xs=[each["n"] for each in measured],
                spots=[
                    Spot(
                        _("%(value)s with %(n)s ground truths")
                        % {"value": share(each["accuracy"]), "n": each["n"]}
                    )
                    for each in measured
                ],
            ),
        ],
        title=title,
        sizes=COLUMN,
    )


def reliability(bins: Sequence[dict[str, Any]]) -> Figure:
    """Stated confidence against the share that is right, with Wilson's interval; on the diagonal they are the same."""
    bins = sorted(bins, key=lambda each: each["low"])
    right = [Proportion(round(each["accuracy"] * each["count"]), each["count"]) for each in bins]
    return Figure(
        share_axis(_("confidence")),
        share_axis(_("accuracy")),
        [
            Guide(),
            Series(
                "right",
                _("Right"),
                [each["accuracy"] for each in bins],
                "dots",
                low=[each.low for each in right],
                high=[each.high for each in right],
                spots=[
                    Spot(f"{share(each['confidence'])} → {share(each['accuracy'])} (n = {each['count']})")
                    for each in bins
                ],
            ),
        ],
        xs=[each["confidence"] for each in bins],
        title=_("Reliability diagram: accuracy against confidence"),
        sizes=SQUARE,
    )
