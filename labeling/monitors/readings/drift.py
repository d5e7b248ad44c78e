"""What the four drift monitors share: new photos against those that the champion was made for, judged by a p-value.

One reader reads them all, as their tests share the level of a look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from labeling.learning.templatetags.figures import share
from labeling.monitors.models import MonitorReading
from labeling.monitors.reading import Look, Reader, Reading
from labeling.monitors.scales import P_VALUE, plain
from labeling.monitors.spec import TO_THE_AUDIT, MonitorSpec, Part, Threshold
from labeling.text.counts import counted


def _read(look: Look) -> list[Reading]:
    # It brings numpy and the library, which only a worker may load.
    from labeling.monitors.compute.drift import drift_readings

    return drift_readings(look.project, look.model, look.thresholds, asked=look.asked) if look.model else []


class DriftSpec(MonitorSpec):
    scale = P_VALUE
    reader = Reader(gettext_noop("Comparing new photos with those that the model was made for"), _read)
    thresholds = (
        Threshold(
            "drift_level",
            gettext_lazy("Drift: false alarm rate, in %"),
            gettext_lazy("All four drift tests of a look together. At .5 one look in 200 alerts by chance."),
            percent=True,
        ),
        Threshold(
            "window",
            gettext_lazy("Comparison window, in photos"),
            gettext_lazy("Fewer notice sooner, more notice less. Three times as many are compared as well."),
        ),
    )
    needs_model = True
    advice = gettext_lazy(
        "This decides nothing by itself, and does not say that the machine is wrong: only the audit can. Look at the "
        "photos. If they are to stay like this, draw random photos on the Frontier page, have them settled, and train "
        "another version."
    )
    photos = gettext_lazy("Contributing photos")
    quiet_photos = gettext_lazy("Outliers among the newest photos")
    link = TO_THE_AUDIT

    def missing(self, figures: Mapping[str, Any]) -> str:
        if figures.get("unembedded"):
            return _("The photos have no embeddings of this version any more: let them be embedded again")
        if figures["arrived"] < figures["window"]:
            return _("%(arrived)s of %(window)s photos have come since the model was made") % counted(figures)
        return _("The model was made for %(reference)s photos; it takes %(least)s to compare with") % counted(
            figures
        )

    def interval(self, reading: MonitorReading) -> str:
        return _("largest gap between the distributions: %(gap)s (%(n)s against %(reference)s)") % {
            **counted(reading.figures),
            "gap": share(reading.figures["statistic"]),
        }

    def alerts_at(self, threshold: float) -> str:
        return _("alerts at p %(level)s and less") % {"level": plain(threshold)}


def most_moved(classes: Sequence[dict[str, Any]], text: Callable[[float], str]) -> dict[str, str]:
    """The class whose figure changed most, as ``class``, ``before`` and ``now`` for a sentence."""
    moved = max(classes, key=lambda each: abs(each["now"] - each["before"]))
    return {"class": moved["class"], "before": text(moved["before"]), "now": text(moved["now"])}


def parts_of(classes: Sequence[dict[str, Any]], text: Callable[[float], str]) -> list[Part]:
    return [Part(each["class"], text(each["before"]), text(each["now"])) for each in classes]
