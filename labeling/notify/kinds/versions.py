"""Model versions: made here or elsewhere, and promoted."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.learning.models import ModelVersion, Promotion
from labeling.notify.kinds.kind import TEXT, WHOLE, Json, Kind, one_of, or_null


def _trained(rows: Sequence[str]) -> dict[str, Json]:
    found = ModelVersion.objects.filter(pk__in=rows).select_related("snapshot")
    return {
        str(each.pk): {
            "version": each.number,
            "backbone": each.backbone,
            "ground_truths": sum(each.snapshot.counts.values()),
            "origin": each.origin.value,
        }
        for each in found
    }


def _promoted(rows: Sequence[str]) -> dict[str, Json]:
    told = {}
    for each in Promotion.objects.filter(pk__in=rows).select_related("model_version"):
        earlier = Promotion.objects.filter(project=each.project_id, pk__lt=each.pk)
        before = earlier.select_related("model_version").first()
        told[str(each.pk)] = {
            "version": each.model_version.number,
            "before": before.model_version.number if before else None,
        }
    return told


KINDS = [
    Kind(
        "version.trained",
        1,
        _("A model version is trained or comes in"),
        "There is a new model version. `origin`: `trained` here, `registered` as a head or `imported` as a classifier that "
        "was trained elsewhere. `ground_truths`: what it learned from; of a registered head all that there were, as it may "
        "have learned from any. A version decides nothing before it is promoted.",
        {
            "version": WHOLE,
            "backbone": TEXT,
            "ground_truths": WHOLE,
            "origin": one_of(ModelVersion.Origin.values),
        },
        {"learning_modelversion": _trained},
    ),
    Kind(
        "version.promoted",
        1,
        _("A model version is promoted"),
        "From here on this version is the champion. `before`: the champion until then.",
        {"version": WHOLE, "before": or_null(WHOLE)},
        {"learning_promotion": _promoted},
    ),
]
