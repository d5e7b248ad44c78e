"""Panels of the model: its learning curve and forecast, what it takes for what, its calibration, and drift."""

from __future__ import annotations

import math
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.charts.axis import Axis, day, share_axis
from labeling.charts.figure import Figure
from labeling.charts.marks import Guide, Series
from labeling.learning import version_charts
from labeling.learning.confused import most_confused, of_many
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import cell as photos_behind
from labeling.learning.templatetags.figures import share as short
from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.overview.dashboard.panel import NAMES, Cell, Column, Grid, Panel, rounded
from labeling.text.percentage import percentage
from labeling.truth.estimates import Proportion

VERSIONS = 200
READINGS = 120
PHOTOS = 6


def learning(project: Project, model: ModelVersion | None) -> Panel:
    """Cross-validated accuracy of each version against its ground truths, and the forecast of the newest that has one."""
    columns = (
        Column("ground_truths", _("Ground truths"), "count"),
        Column("version", _("Version"), "count"),
        Column("accuracy", _("Accuracy at training"), "share"),
        Column("low", pgettext("interval", "From"), "share"),
        Column("high", pgettext("interval", "To"), "share"),
        Column("random", _("On random photos, at training"), "share"),
        Column("forecast", _("Forecast"), "share"),
        Column("forecast_low", _("Forecast from"), "share"),
        Column("forecast_high", _("Forecast to"), "share"),
    )
    blank: dict[str, Any] = {column.name: None for column in columns}
    versions = _versions(project)
    rows = [
        blank
        | {
            "ground_truths": row["n"],
            "version": row["number"],
            "accuracy": row["figure"]["value"],
            "low": row["figure"]["low"],
            "high": row["figure"]["high"],
            "random": row["random"]["value"] if row["random"] else None,
        }
        for row in versions
        if row["figure"]
    ]
    if not rows:
        return Panel(
            "learning",
            str(NAMES["learning"]),
            "",
            columns,
            [],
            empty=_(
                "No model yet. Each training adds a point: accuracy on photos that the fit had not seen, against the "
                "ground truths that it learned from."
            ),
        )
    forecast = next((row["forecast"] for row in versions if row["explained"]), None) or None
    last = max(row["ground_truths"] for row in rows)
    rows += [
        blank
        | {
            "ground_truths": each["n"],
            "forecast": each["value"],
            "forecast_low": each["low"],
            "forecast_high": each["high"],
        }
        for each in (forecast["band"] if forecast else [])
        if each["n"] >= last
    ]
    rows.sort(key=lambda row: (row["ground_truths"], row["version"] or math.inf))
    return Panel(
        "learning",
        _learning_title(rows, forecast),
        _(
            "Points: versions, each judged at training by fits that had not seen the photo, with 95\u00a0% intervals. "
            "Dashed: the forecast of the newest version's own learning curve, an inverse power law; the area holds "
            "95\u00a0% of what fits. Accuracy on random photos, where there are some, is the better guess of the pool."
        ),
        columns,
        rows,
        Figure(
            Axis(_("ground truths (logarithmic)"), scale="log"),
            share_axis(_("accuracy"), _lowest(rows)),
            [
                Series(
                    "accuracy",
                    _("Versions"),
                    [row["accuracy"] for row in rows],
                    kind="dots",
                    look=0,
                    low=[row["low"] for row in rows],
                    high=[row["high"] for row in rows],
                ),
                *_on_random_photos(rows),
                *_ahead(rows),
            ],
            xs=[float(max(row["ground_truths"], 1)) for row in rows],
        ),
    )


def _on_random_photos(rows: list[dict[str, Any]]) -> list[Series]:
    values = [row["random"] for row in rows]
    if not any(values):
        return []
    return [Series("random", _("On random photos"), values, kind="dots", look=2)]


def _ahead(rows: list[dict[str, Any]]) -> list[Series]:
    values = [row["forecast"] for row in rows]
    if not any(values):
        return []
    return [
        Series(
            "forecast",
            _("Forecast"),
            values,
            look=1,
            low=[row["forecast_low"] for row in rows],
            high=[row["forecast_high"] for row in rows],
        )
    ]


def _versions(project: Project) -> list[dict[str, Any]]:
    """The newest versions, without what is long in them."""
    found = (
        ModelVersion.objects.filter(project=project)
        .order_by("-number")
        .values(
            "number",
            n=F("metrics__cross_validated__n"),
            figure=F("metrics__cross_validated__accuracy"),
            random=F("metrics__audit__accuracy"),
            explained=F("diagnostics"),
            forecast=F("diagnostics__findings__forecast"),
        )[:VERSIONS]
    )
    return [dict(row) for row in found]


def _learning_title(rows: list[dict[str, Any]], forecast: dict[str, Any] | None) -> str:
    measured = [row for row in rows if row["version"] is not None]
    newest = max(measured, key=lambda row: row["version"])
    told = {
        "now": short(newest["accuracy"]),
        "n": rounded(newest["ground_truths"], 0),
    }
    if forecast:
        ahead = forecast["band"][-1]
        told |= {
            "then": short(ahead["value"]),
            "more": rounded(ahead["n"], 0),
            "low": short(ahead["low"]),
            "high": short(ahead["high"]),
        }
        return (
            _(
                "Accuracy at training %(now)s at %(n)s ground truths; %(more)s would bring about "
                "%(then)s [%(low)s, %(high)s]"
            )
            % told
        )
    return _("Accuracy at training %(now)s at %(n)s ground truths") % told


def _lowest(rows: list[dict[str, Any]]) -> float:
    names = ("low", "random", "forecast_low")
    lowest: float = min(row[name] for row in rows for name in names if row[name] is not None)
    return lowest


def confusion(project: Project, model: ModelVersion | None) -> Panel:
    """What the champion takes for what, out of fold, with photos behind its most frequent mistake."""
    columns = (
        Column("truth", _("Ground truth"), "text"),
        Column("predicted", _("The model says"), "text"),
        Column("photos", _("Photos"), "count"),
        Column("share", _("Of this ground truth"), "share"),
    )
    matrix = model.metrics["cross_validated"].get("confusion") if model else None
    if model is None or not matrix:
        return Panel(
            "confusion",
            str(NAMES["confusion"]),
            "",
            columns,
            [],
            empty=_("A promoted version shows here which classes it mixes up, with the photos."),
        )
    keys = model.metrics["order"]
    known = class_names_by_key(current_guideline(project))
    names = [known.get(key, key) for key in keys]
    drawn = most_confused(matrix)
    all_drawn = len(drawn) == len(matrix)
    rows = [
        {"truth": names[truth], "predicted": names[said], "photos": n, "share": n / (sum(counts) or 1)}
        for truth, counts in enumerate(matrix)
        for said, n in enumerate(counts)
        if n or all_drawn  # of many classes, most pairs are never seen
    ]

    def cell(truth: int, said: int) -> Cell:
        n, whole = matrix[truth][said], sum(matrix[truth]) or 1
        says = _said(n, names, truth, said)
        return Cell(keys[truth], keys[said], n, truth == said, round(4 * n / whole), says)

    cells = [[cell(truth, said) for said in drawn] for truth in drawn]
    wrong = [
        (n, truth, said)
        for truth, counts in enumerate(matrix)
        for said, n in enumerate(counts)
        if truth != said
    ]
    most, truth, said = max(wrong, default=(0, 0, 0))
    photos = photos_behind(model, truth, said, start=0, count=PHOTOS)[0] if most else []
    return Panel(
        "confusion",
        _("Most often it takes %(truth)s for %(said)s: %(share)s of them")
        % {"truth": names[truth], "said": names[said], "share": percentage(most / sum(matrix[truth]))}
        if most
        else _("It mixes up nothing of its %(n)d ground truths") % {"n": sum(map(sum, matrix))},
        _("Rows: the ground truth. Columns: what version %(n)d says of photos that its fit had not seen.")
        % {"n": model.number}
        + ("" if all_drawn else " " + of_many(len(drawn), len(matrix))),
        columns,
        rows,
        grid=Grid(
            names=[(keys[each], names[each]) for each in drawn],
            cells=cells,
            model=model.number,
            worst=cell(truth, said) if most else None,
            photos=[each.item for each in photos],
        ),
    )


def _said(n: int, names: list[str], truth: int, said: int) -> str:
    return ngettext(
        "%(n)d photo of %(truth)s that it calls %(said)s",
        "%(n)d photos of %(truth)s that it calls %(said)s",
        n,
    ) % {"n": n, "truth": names[truth], "said": names[said]}


def reliability(model: ModelVersion | None) -> Panel:
    """Stated confidence against the share that is right, in bins, with Wilson's interval and the photos of each."""
    columns = (
        Column("low", _("Confidence from"), "share"),
        Column("high", pgettext("interval", "To"), "share"),
        Column("stated", _("Mean confidence"), "share"),
        Column("right", _("Accuracy"), "share"),
        Column("right_low", _("Accuracy, from"), "share", read=False),
        Column("right_high", _("Accuracy, to"), "share", read=False),
        Column("photos", _("Photos"), "count"),
    )
    bins = model.metrics["cross_validated"].get("reliability") if model else None
    if model is None or not bins:
        return Panel(
            "reliability",
            str(NAMES["reliability"]),
            "",
            columns,
            [],
            empty=_("A promoted version shows here whether it is right as often as it says."),
        )
    rows = []
    for each in sorted(bins, key=lambda each: each["low"]):
        right = Proportion(round(each["accuracy"] * each["count"]), each["count"])
        rows.append(
            {
                "low": each["low"],
                "high": each["high"],
                "stated": each["confidence"],
                "right": each["accuracy"],
                "right_low": right.low,
                "right_high": right.high,
                "photos": each["count"],
            }
        )
    cross = model.metrics["cross_validated"]
    return Panel(
        "reliability",
        _("What version %(n)d states and what is right differ by %(error)s on average")
        % {"n": model.number, "error": short(cross.get("ece"))},
        _(
            "On the diagonal it is right exactly as often as it says; below, it is too sure of itself. The average "
            "difference is the expected calibration error (ECE), weighted by photos. Lines: Wilson's 95\u00a0% interval."
        ),
        columns,
        rows,
        version_charts.reliability(bins),
    )


def _evidence(p_value: float | None) -> float | None:
    """−log₁₀ p, at most 6: beyond that it makes no difference."""
    return None if p_value is None else min(-math.log10(max(p_value, 1e-6)), 6.0)


def drift(project: Project) -> Panel:
    """The p-values of the drift tests, look by look, as the monitors read them."""
    columns = (
        Column("at", _("When"), "moment"),
        Column("what", _("Compared"), "text"),
        Column("p_value", _("p-value"), "number"),
        Column("level", _("Alert below"), "number"),
        Column("state", _("State"), "text"),
    )
    kinds = [Monitor.EMBEDDINGS, Monitor.SCORES]
    found = MonitorReading.objects.filter(project=project, monitor__in=kinds, p_value__isnull=False)
    readings = list(
        reversed(found.order_by("-id").values("monitor", "at", "p_value", "threshold", "state")[:READINGS])
    )
    rows = [
        {
            "at": each["at"],
            "what": str(Monitor(each["monitor"]).label),
            "p_value": each["p_value"],
            "level": each["threshold"],
            "state": str(ReadingState(each["state"]).label),
        }
        for each in readings
    ]
    if not rows:
        return Panel(
            "drift",
            str(NAMES["drift"]),
            "",
            columns,
            [],
            empty=_(
                "No look yet. When new photos have come in after a training, the monitors compare them with those that "
                "it learned from."
            ),
        )
    newest = {each["monitor"]: each for each in readings}
    alerts = [
        str(Monitor(kind).label) for kind, each in newest.items() if each["state"] == ReadingState.ALERT
    ]
    xs = [each["at"].timestamp() for each in readings]
    return Panel(
        "drift",
        _("New photos look different: %(what)s") % {"what": ", ".join(alerts)}
        if alerts
        else _("New photos look like those that it learned from"),
        _(
            "The p-value of a two-sample test of new photos against the training snapshot: how easily chance alone would "
            "make them differ so much. The plot counts its zeros: 2 is 0.01, 3 is 0.001."
        ),
        columns,
        rows,
        Figure(
            Axis(_("time"), scale="time", ticks=[(at, day(at)) for at in xs]),
            Axis(_("evidence of drift, −log₁₀ p")),
            [
                *(
                    Series(
                        kind.value,
                        str(kind.label),
                        [
                            _evidence(each["p_value"]) if each["monitor"] == kind else None
                            for each in readings
                        ],
                        kind="dots",
                        look=look,
                    )
                    for look, kind in ((0, Monitor.EMBEDDINGS), (1, Monitor.SCORES))
                ),
                Series(
                    "level",
                    _("Alert from here"),
                    [_evidence(each["threshold"]) for each in readings],
                    "step",
                    7,
                ),
                *(
                    Guide(at, text="!")
                    for at, each in zip(xs, readings, strict=True)
                    if each["state"] == ReadingState.ALERT
                ),
            ],
            xs=xs,
        ),
    )
