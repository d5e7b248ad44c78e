"""Drift of the scores: whether the champion's probabilities of each class are distributed as before."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.learning.templatetags.figures import share
from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.monitors.readings.drift import DriftSpec, most_moved, parts_of
from labeling.monitors.spec import Part, version_of


class Scores(DriftSpec):
    key = Monitor.SCORES
    purpose = gettext_lazy("Does the model score the newest photos like those before them?")
    parts_title = gettext_lazy("Median score of each class")
    parts_column = gettext_lazy("Class")

    def found(self, reading: MonitorReading) -> str:
        told = {"version": version_of(reading)}
        if reading.state != ReadingState.ALERT:
            return _("Version %(version)d scores the newest photos like those before them") % told
        return _(
            "Version %(version)d scores the newest photos differently: median of “%(class)s” %(now)s, was %(before)s"
        ) % (told | most_moved(reading.figures["medians"], share))

    def parts(self, reading: MonitorReading) -> Sequence[Part]:
        return parts_of(reading.figures.get("medians", []), share)


SPEC = Scores()
