"""Calibration: whether the champion is right as often as it states, on labels drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from labeling.learning.templatetags.figures import percent
from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.monitors.reading import Look, Reader, Reading
from labeling.monitors.scales import ERROR_SHARE, P_VALUE
from labeling.monitors.spec import TO_THE_AUDIT, MonitorSpec, Threshold, version_of


def _read(look: Look) -> list[Reading]:
    # It brings numpy and the library, which only a worker may load.
    from labeling.monitors.compute.calibration import calibration_reading

    return [calibration_reading(look.project, look.model, look.thresholds)] if look.model else []


class Calibration(MonitorSpec):
    key = Monitor.CALIBRATION
    purpose = gettext_lazy("Is the model right as often as it states?")
    advice = gettext_lazy(
        "Its confidence is no longer worth its face value. Certificates rest on counted errors, not on it; but the "
        "queue's order and its bands do. Train another version on what was settled since."
    )
    scale = ERROR_SHARE
    reader = Reader(gettext_noop("Holding the model's confidence against random labels"), _read)
    thresholds = (
        Threshold(
            "calibration",
            gettext_lazy("Calibration error allowed, in %"),
            gettext_lazy("How far stated and real shares may lie apart, on average."),
            percent=True,
        ),
    )
    needs_model = True
    photos = gettext_lazy("Most confident errors")
    link = TO_THE_AUDIT

    def found(self, reading: MonitorReading) -> str:
        told = {
            "version": version_of(reading),
            "stated": percent(reading.figures["stated"]),
            "right": percent(reading.figures["right"]),
            "n": reading.figures["n"],
        }
        if reading.state == ReadingState.ALERT:
            text = _(
                "Version %(version)d states %(stated)s on average; %(right)s of %(n)d random labels were right"
            )
        elif (reading.value or 0) > (reading.threshold or 0):
            text = _(
                "Version %(version)d states %(stated)s on average; %(right)s of %(n)d random labels were right, which "
                "chance may explain"
            )
        else:
            text = _(
                "Version %(version)d states %(stated)s on average; %(right)s of %(n)d random labels were right, within what "
                "is allowed"
            )
        return text % told

    def missing(self, figures: Mapping[str, Any]) -> str:
        return _("%(n)d of %(least)d random photos, drawn since the model was made, are settled") % figures

    def interval(self, reading: MonitorReading) -> str:
        return _("by chance alone up to %(chance)s (n = %(n)d, %(p)s)") % {
            **reading.figures,
            "chance": self.scale.text(reading.figures["chance"]),
            "p": P_VALUE.text(reading.p_value or 0.0),
        }

    def alerts_at(self, threshold: float) -> str:
        return _("alerts above %(limit)s, if chance does not explain it") % {
            "limit": self.scale.text(threshold)
        }


SPEC = Calibration()
