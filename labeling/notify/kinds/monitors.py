"""Alerts of the monitors, and their ends."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.monitors.models import AlertClosing, Monitor, MonitorAlert, MonitorReading
from labeling.notify.kinds.kind import NUMBER, WHOLE, Json, Kind, one_of, or_null

_DATA = {
    "alert": WHOLE,
    "monitor": one_of(Monitor.values),
    "value": or_null(NUMBER),
    "low": or_null(NUMBER),
    "high": or_null(NUMBER),
    "threshold": or_null(NUMBER),
}


def _said(alert: MonitorAlert, reading: MonitorReading) -> Json:
    figures = {name: getattr(reading, name) for name in ("value", "low", "high", "threshold")}
    return {"alert": alert.pk, "monitor": alert.monitor, **figures}


def _alerted(rows: Sequence[str]) -> dict[str, Json]:
    found = MonitorAlert.objects.filter(pk__in=rows).select_related("reading")
    return {str(each.pk): _said(each, each.reading) for each in found}


def _ended(rows: Sequence[str]) -> dict[str, Json]:
    found = AlertClosing.objects.filter(pk__in=rows).select_related("alert", "reading")
    return {str(each.pk): _said(each.alert, each.reading) for each in found}


KINDS = [
    Kind(
        "monitor.alerted",
        1,
        _("A monitor alerts"),
        "A reading is beyond its threshold: somebody should look. `value` with its 95 % interval `low` to `high`, in the "
        "monitor's own unit.",
        _DATA,
        {"monitors_monitoralert": _alerted},
    ),
    Kind(
        "monitor.ended",
        1,
        _("An alert of a monitor ends"),
        "A later reading was fine, or its model version was replaced.",
        _DATA,
        {"monitors_alertclosing": _ended},
    ),
]
