"""Audited precision: the watch's running precision, beside the one that was stated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.meaning import meaning_now, same_meaning
from labeling.catalog.models import Guideline, Project
from labeling.catalog.selectors import class_resolution
from labeling.frontier.models import AuditWatch, AutomaticDecision, Certificate, EndKind, EndReason, Mode
from labeling.learning.models import ModelVersion
from labeling.learning.templatetags.figures import percent
from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.monitors.reading import PEOPLE_AND_QUEUE, Reader, Reading, alert_if
from labeling.monitors.scales import SHARE
from labeling.monitors.spec import TO_THE_AUDIT, MonitorSpec
from labeling.truth.models import GroundTruth

SHOWN = 12


def audit_reading(project: Project, model: ModelVersion | None) -> Reading:
    """Precision of the class that does worst against what was stated for it. The watch decides, this only shows it."""
    guideline = meaning_now(project)
    watches = list(
        AuditWatch.objects.filter(model_version=model, guideline=guideline).select_related("label_class")
        if model
        else []
    )
    evidence = f"{model.pk if model else 0} {guideline.number} " + " ".join(
        f"{each.label_class_id}:{each.errors}/{each.n}" for each in sorted(watches, key=lambda w: w.pk)
    )
    figures = {
        "classes": [
            {
                "class": each.over,
                "n": each.n,
                "errors": each.errors,
                "waiting": each.waiting,
                "low": each.low,
                "high": each.high,
                "stated": each.precision,
            }
            for each in watches
        ]
    }
    counted = [each for each in watches if each.n]
    if not counted or model is None:
        return Reading(
            Monitor.AUDIT,
            ReadingState.NOT_ENOUGH,
            evidence[:160],
            figures=figures,
            model_version=model,
        )
    worst = min(counted, key=lambda each: (each.high - each.precision, -each.errors / each.n))
    suspended = Certificate.objects.filter(
        model_version=model,
        guideline=guideline,
        ends__kind=EndKind.SUSPENDED,
        ends__reason=EndReason.AUDIT,
    ).exists()
    return Reading(
        Monitor.AUDIT,
        alert_if(suspended or worst.high < worst.precision),
        evidence[:160],
        value=1 - worst.errors / worst.n,
        low=worst.low,
        high=worst.high,
        threshold=worst.precision,
        figures=figures | {"class": worst.over, "suspended": suspended},
        item_ids=_wrong(project, model, guideline),
        model_version=model,
    )


def _wrong(project: Project, model: ModelVersion, guideline: Guideline) -> list[int]:
    """Audited photos that people settled otherwise, strictly, the newest first."""
    resolution = class_resolution(project)
    audited = AutomaticDecision.objects.filter(
        project=project,
        certificate__model_version=model,
        certificate__guideline=guideline,
        audit=True,
        mode=Mode.ON,
    ).order_by("-id")
    decided = list(audited.values_list("item_id", "label_class_id")[:500])
    truths = dict(
        GroundTruth.objects.strict()
        .filter(item_id__in=[item for item, _said in decided], guideline__in=same_meaning(guideline))
        .values_list("item_id", "label_class_id")
    )
    return [
        item
        for item, said in decided
        if item in truths and resolution.get(truths[item] or 0) != resolution.get(said)
    ][:SHOWN]


class Audit(MonitorSpec):
    """It has no threshold of its own: the precision that was certified is."""

    key = Monitor.AUDIT
    purpose = gettext_lazy("Are audited decisions right as often as was certified?")
    advice = gettext_lazy(
        "The certificate is suspended or near it, and its photos go to people. See the Frontier page for the audited "
        "decisions; train another version and certify it on new random photos."
    )
    scale = SHARE
    reader = Reader(PEOPLE_AND_QUEUE, lambda look: [audit_reading(look.project, look.model)])
    needs_model = True
    photos = gettext_lazy("Most confident errors")
    link = TO_THE_AUDIT

    def found(self, reading: MonitorReading) -> str:
        if reading.state == ReadingState.ALERT:
            text = _(
                "The audit refutes “%(class)s”: %(right)s of its decisions were right, %(stated)s was certified"
            )
        else:
            text = _(
                "%(right)s of the audited decisions for “%(class)s” were right; %(stated)s was certified"
            )
        return text % {
            "class": reading.figures["class"],
            "right": percent(reading.value),
            "stated": percent(reading.threshold),
        }

    def missing(self, figures: Mapping[str, Any]) -> str:
        return _("No decision of the machine has been audited yet")

    def alerts_at(self, threshold: float) -> str:
        return _("alerts when surely below the certified %(limit)s") % {"limit": self.scale.text(threshold)}


SPEC = Audit()
