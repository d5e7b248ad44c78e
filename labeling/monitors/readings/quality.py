"""Photo quality: whether brightness, sharpness and size of the newest photos are distributed as before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.monitors.readings.drift import DriftSpec
from labeling.monitors.spec import Part

_NAMES = {
    "brightness": gettext_lazy("brightness"),
    "sharpness": gettext_lazy("sharpness"),
    "pixels": gettext_lazy("number of pixels"),
    "bytes": gettext_lazy("file size"),
}


class Quality(DriftSpec):
    key = Monitor.QUALITY
    purpose = gettext_lazy("Are brightness, sharpness and size of the photos as before?")
    advice = format_lazy(
        "{} {}", gettext_lazy("Look at the camera, its light and its focus first."), DriftSpec.advice
    )
    parts_title = gettext_lazy("Per measure")
    parts_column = gettext_lazy("Measure")

    def found(self, reading: MonitorReading) -> str:
        if reading.state != ReadingState.ALERT:
            return _("Brightness, sharpness and size of the newest photos are as before")
        measures = reading.figures["measures"]
        worst = self._part(next(each for each in measures if each["name"] == reading.figures["test"]))
        return _("The newest photos differ in %(what)s: median %(now)s, was %(before)s") % {
            "what": worst.name,
            "before": worst.before,
            "now": worst.now,
        }

    def parts(self, reading: MonitorReading) -> Sequence[Part]:
        return [self._part(each) for each in reading.figures.get("measures", [])]

    def _part(self, measure: dict[str, Any]) -> Part:
        name = measure["name"]
        return Part(
            str(_NAMES.get(name, name)),
            _with_unit(name, measure["before"]),
            _with_unit(name, measure["now"]),
            self.scale.text(measure["p"]),
        )


def _with_unit(measure: str, value: float | None) -> str:
    if value is None:
        return "–"
    if measure == "bytes":
        return f"{value / 1000:,.1f} kB"
    if measure == "pixels":
        return f"{value / 1e6:,.2f} MP"
    return f"{value:,.0f}" if value >= 10 else f"{value:,.1f}"


SPEC = Quality()
