"""What an admin types to say from which values on the monitors alert. The rules are the services'."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from labeling.catalog.forms.versions import VersionForm
from labeling.monitors.models import MonitorThresholds
from labeling.monitors.services import FIELDS
from labeling.number_fields import PercentField, RealField, WholeField


class ThresholdsForm(VersionForm):
    class Meta(VersionForm.Meta):
        model = MonitorThresholds
        fields = (*FIELDS, "reason")
        field_classes = {
            "drift_level": PercentField,
            "window": WholeField,
            "calibration": PercentField,
            "agreement": PercentField,
            "speed": RealField,
            "queue_days": RealField,
        }
        labels = VersionForm.Meta.labels | {
            "drift_level": gettext_lazy("Drift: false alarms, in % of looks"),
            "window": gettext_lazy("Newest photos that are compared"),
            "calibration": gettext_lazy("Calibration error borne, in %"),
            "agreement": gettext_lazy("Agreement wanted, in % of photos"),
            "speed": gettext_lazy("Speed: so many times faster or slower"),
            "queue_days": gettext_lazy("Oldest waiting photo, in days"),
        }
        help_texts = {
            "drift_level": gettext_lazy(
                "All four drift tests of a look together. At .5 one look in 200 alerts by chance."
            ),
            "window": gettext_lazy(
                "Fewer notice sooner, more notice less. Three times as many are compared as well."
            ),
            "calibration": gettext_lazy("How far stated and real shares may lie apart, on average."),
            "agreement": gettext_lazy("Until somebody sets it, what a band needs to open the next."),
            "speed": gettext_lazy("The newest 100 answers against up to 1,000 before them."),
            "queue_days": gettext_lazy("A large number where photos may wait as long as they like."),
        }
