"""Drift of the photos: whether the newest embeddings can be told from those that the champion was made for."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.learning.templatetags.figures import share
from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.monitors.readings.drift import DriftSpec
from labeling.monitors.spec import version_of


class Embeddings(DriftSpec):
    key = Monitor.EMBEDDINGS
    purpose = gettext_lazy("Do the newest photos look like those that the model was made for?")

    def found(self, reading: MonitorReading) -> str:
        told = {"version": version_of(reading)}
        if reading.state == ReadingState.ALERT:
            return (
                _("The newest photos look different from those that version %(version)d was made for") % told
            )
        return _("The newest photos look like those that version %(version)d was made for") % told

    def interval(self, reading: MonitorReading) -> str:
        return _("told apart with AUC %(auc)s; .5 is chance (%(n)d against %(reference)d)") % {
            **reading.figures,
            "auc": share(reading.figures["statistic"]),
        }


SPEC = Embeddings()
