"""The panel of the frontier itself: how far inward it was proven, and opened to people, after each thing that moved it."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from labeling.catalog.models import Project
from labeling.charts.axis import Axis, share_axis
from labeling.charts.figure import BROAD, Figure
from labeling.charts.marks import LOOKS, Guide, Series
from labeling.frontier.models import Mode
from labeling.overview.dashboard.panel import Column, Panel
from labeling.overview.dashboard.timeline import Frame
from labeling.text.percentage import percentage


def moved(frames: list[Frame], project: Project) -> Panel:
    """Its figure holds the last moment once more, now, so that what stands is seen to stand."""
    columns = (
        Column("at", pgettext("moment", "From"), "moment"),
        Column("what", _("Event"), "text"),
        Column("certified", _("Certified, of the pool"), "share"),
        Column("model", _("Model version"), "count", read=False),
        Column("open_band", _("Open band"), "count", read=False),
        Column("bands", _("Bands"), "count", read=False),
        Column("mode", _("The machine"), "text", read=False),
    )
    by_class = [
        Column(f"certified_{ladder.key}", _("Certified of %(class)s") % {"class": ladder.name}, "share")
        for ladder in (frames[-1].ladders if frames else [])
    ]
    modes = {str(mode): str(mode.label) for mode in Mode}
    rows = [
        {
            "at": frame.at,
            "what": "; ".join(frame.says),
            "certified": frame.certified,
            "model": frame.model,
            "open_band": frame.open,
            "bands": frame.bands,
            "mode": modes[frame.mode],
        }
        | {column.name: _certified(frame, column.name) for column in by_class}
        for frame in frames
    ]
    if not frames:
        return Panel(
            "frontier",
            _("The frontier has not moved yet"),
            "",
            columns,
            [],
            empty=_(
                "Bands open from the extremes inward as people settle photos; a promoted model orders them, and "
                "random labels certify what it may decide. Each of these steps will be a moment on this line."
            ),
        )
    return Panel(
        "frontier",
        _title(frames),
        _(
            "Of the photos that the model predicts as a class, the share from the extreme inward for which its precision is "
            "proven. Drag the time, or use the arrow keys, to see the bands as they stood."
        ),
        (*columns, *by_class),
        rows,
        _figure(frames),
        extra=[frame.drawn for frame in frames],
        course=[frame.certified for frame in frames],
        unit="share",
    )


def _certified(frame: Frame, name: str) -> float | None:
    return next((each.certified for each in frame.ladders if f"certified_{each.key}" == name), None)


def _title(frames: list[Frame]) -> str:
    now = frames[-1]
    best = max(frames, key=lambda frame: frame.certified)
    told = {"now": percentage(now.certified), "best": percentage(best.certified)}
    if now.certified > 0:
        told["wish"] = percentage(now.precision or 0, "g")
        return _("%(now)s of the pool is certified at %(wish)s") % told
    if best.certified > 0:
        return _("Nothing is certified now; at its best %(best)s of the pool was") % told
    if not now.ladders:
        return _("Nothing is certified yet: the bands begin with the first model")
    return _("Nothing is certified yet: the queue is at band %(open)d of %(bands)d") % {
        "open": now.open,
        "bands": now.bands,
    }


def _figure(frames: list[Frame]) -> Figure:
    moments = [frame.at.timestamp() for frame in frames]
    series = [
        Series(
            f"certified_{ladder.key}",
            ladder.name,
            [
                *(_certified(frame, f"certified_{ladder.key}") for frame in frames),
                _certified(frames[-1], f"certified_{ladder.key}"),
            ],
            kind="step",
            look=ladder.position % (LOOKS - 1),
        )
        for ladder in frames[-1].ladders
    ]
    # Drawn first, so that a class that makes up the whole pool stays visible.
    series.insert(
        0,
        Series(
            "certified",
            _("The whole pool"),
            [*(frame.certified for frame in frames), frames[-1].certified],
            kind="step",
            look=LOOKS - 1,
        ),
    )
    notes, seen = [], None
    for frame, at in zip(frames, moments, strict=True):
        if frame.model is not None and frame.model != seen:
            notes.append(Guide(at, text=_("v%(n)d") % {"n": frame.model}))
        seen = frame.model
    return Figure(
        Axis(_("time"), scale="time"),
        share_axis(_("certified share")),
        [*series, *notes[-12:]],
        xs=[*moments, max(timezone.now().timestamp(), moments[-1] + 1.0)],
        sizes=BROAD,
    )
