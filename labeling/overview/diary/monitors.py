"""What the monitors alert of, and who answers."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labeling.monitors.services import monitor_named
from labeling.overview import changes
from labeling.overview.diary.kind import Data, Kind


def _alert(data: Data) -> str:
    return _("Alert: %(name)s. Somebody should look.") % {"name": monitor_named(data["monitor"])}


def _closed(data: Data) -> str:
    return _("%(name)s is fine again; its alert is closed.") % {"name": monitor_named(data["monitor"])}


def _acknowledged(data: Data) -> str:
    said = _("%(who)s acknowledged the alert of %(name)s")
    return said % {**data, "name": monitor_named(data["monitor"])}


def _thresholds(data: Data) -> str:
    said = {"who": data["who"], "changes": changes.of_thresholds(data["changes"])}
    return _("%(who)s changed the monitors' thresholds: %(changes)s") % said


KINDS = {
    "monitor_alert": Kind("bell-ring", "monitors", _alert),
    "monitor_closed": Kind("bell", "monitors", _closed),
    "monitor_acknowledged": Kind("bell", "monitors", _acknowledged, note="note"),
    "monitor_thresholds": Kind("activity", "monitors", _thresholds, note="reason"),
}
