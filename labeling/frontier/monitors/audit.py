"""The audit of what the machine decided: the watch's running precision, beside the one that was stated."""

from __future__ import annotations

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.frontier.models import AuditWatch, AutomaticDecision, Certificate, EndKind, EndReason, Mode
from labeling.frontier.monitors.models import Monitor, ReadingState
from labeling.frontier.monitors.reading import Reading, judged
from labeling.learning.models import ModelVersion
from labeling.truth.models import GroundTruth

SHOWN = 12


def audit_reading(project: Project, model: ModelVersion | None) -> Reading:
    """Precision of the class that does worst against what was stated for it. The watch decides, this only shows it."""
    watches = list(
        AuditWatch.objects.filter(project=project, model_version=model).select_related("label_class")
        if model
        else []
    )
    evidence = f"{model.pk if model else 0} " + " ".join(
        f"{each.label_class_id}:{each.errors}/{each.n}" for each in sorted(watches, key=lambda w: w.pk)
    )
    figures = {
        "classes": [
            {
                "class": each.label_class.key,
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
        project=project, model_version=model, ends__kind=EndKind.SUSPENDED, ends__reason=EndReason.AUDIT
    ).exists()
    return Reading(
        Monitor.AUDIT,
        judged(suspended or worst.high < worst.precision),
        evidence[:160],
        value=1 - worst.errors / worst.n,
        low=worst.low,
        high=worst.high,
        threshold=worst.precision,
        figures=figures | {"class": worst.label_class.key, "suspended": suspended},
        item_ids=_wrong(project, model),
        model_version=model,
    )


def _wrong(project: Project, model: ModelVersion) -> list[int]:
    """Audited photos that people settled otherwise, the newest first."""
    resolution = class_resolution(project)
    audited = AutomaticDecision.objects.filter(
        project=project, certificate__model_version=model, audit=True, mode=Mode.ON
    ).order_by("-id")
    decided = list(audited.values_list("item_id", "label_class_id")[:500])
    truths = dict(
        GroundTruth.objects.current()
        .filter(item_id__in=[item for item, _said in decided])
        .values_list("item_id", "label_class_id")
    )
    return [
        item
        for item, said in decided
        if item in truths and resolution.get(truths[item] or 0) != resolution.get(said)
    ][:SHOWN]
