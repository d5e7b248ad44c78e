"""Class balance: whether the predicted classes come in the same shares as before."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.learning.templatetags.figures import percent
from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.monitors.readings.drift import DriftSpec, most_moved, parts_of
from labeling.monitors.spec import Part


class Balance(DriftSpec):
    key = Monitor.BALANCE
    purpose = gettext_lazy("Do the predicted classes come in the same shares as before?")
    parts_title = gettext_lazy("Per class")
    parts_column = gettext_lazy("Class")

    def found(self, reading: MonitorReading) -> str:
        if reading.state != ReadingState.ALERT:
            return _("The classes come in the same shares as before")
        moved = most_moved(reading.figures["shares"], percent)
        return _("%(now)s of the newest photos are called “%(class)s”; it was %(before)s") % moved

    def interval(self, reading: MonitorReading) -> str:
        return _("shares moved by %(gap)s in all (%(n)d against %(reference)d)") % {
            **reading.figures,
            "gap": percent(reading.figures["statistic"]),
        }

    def parts(self, reading: MonitorReading) -> Sequence[Part]:
        return parts_of(reading.figures.get("shares", []), percent)


SPEC = Balance()
