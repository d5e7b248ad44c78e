"""Every monitor's spec, in the order in which the page shows them.

A monitor is a line of :class:`~labeling.monitors.models.Monitor` and a file of its key under ``readings/``, which holds the
rest as its ``SPEC``. Another one, with a threshold, takes these two, the threshold's field with its migration, and readings
of it for ``tests/monitors/test_every_monitor.py``; nothing else names a monitor.
"""

from __future__ import annotations

from importlib import import_module

from labeling.monitors.models import Monitor
from labeling.monitors.spec import MonitorSpec, Threshold


def _spec_of(monitor: Monitor) -> MonitorSpec:
    spec: MonitorSpec = import_module(f"labeling.monitors.readings.{monitor.value}").SPEC
    return spec


SPECS: tuple[MonitorSpec, ...] = tuple(_spec_of(monitor) for monitor in Monitor)

#: Field of the thresholds -> how a form asks for it; several monitors may share one.
THRESHOLDS: dict[str, Threshold] = {
    threshold.field: threshold for spec in SPECS for threshold in spec.thresholds
}
