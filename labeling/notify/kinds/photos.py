"""What became of a photo: decided by people, a ruling, an import or the machine, or open again."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.frontier.models import AutomaticDecision, DecisionOverruled
from labeling.notify.kinds.kind import NUMBER, PHOTO, TEXT, WHOLE, Json, Kind, one_of, or_null, photo
from labeling.truth.models import GroundTruth, Origin, TruthKind

_BY = {
    Origin.AGREEMENT: "people",
    Origin.RULING: "ruling",
    Origin.ASSISTED: "one_answer",
    Origin.IMPORTED: "import",
}


def _by_people(rows: Sequence[str]) -> dict[str, Json]:
    found = GroundTruth.objects.filter(pk__in=rows).select_related("item__image", "label_class", "guideline")
    return {
        str(each.pk): {
            "photo": photo(each.item),
            "by": _BY.get(Origin(each.origin), "people"),
            "outcome": each.kind,
            "class": each.label_class.key if each.label_class else None,
            "guideline": each.guideline.number,
            "version": None,
            "certificate": None,
            "confidence": None,
        }
        for each in found
    }


def _by_machine(rows: Sequence[str]) -> dict[str, Json]:
    found = AutomaticDecision.objects.filter(pk__in=rows).select_related(
        "item__image", "label_class", "model_version", "certificate__guideline"
    )
    return {
        str(each.pk): {
            "photo": photo(each.item),
            "by": "machine",
            "outcome": "class",
            "class": each.label_class.key,
            "guideline": each.certificate.guideline.number,
            "version": each.model_version.number,
            "certificate": each.certificate_id,
            "confidence": each.confidence,
        }
        for each in found
    }


def _withdrawn(rows: Sequence[str]) -> dict[str, Json]:
    found = GroundTruth.objects.filter(pk__in=rows).select_related("item__image")
    return {str(each.pk): {"photo": photo(each.item), "because": "withdrawn"} for each in found}


def _overruled(rows: Sequence[str]) -> dict[str, Json]:
    found = DecisionOverruled.objects.filter(pk__in=rows).select_related("decision__item__image")
    return {str(each.pk): {"photo": photo(each.decision.item), "because": "overruled"} for each in found}


KINDS = [
    Kind(
        "photo.decided",
        1,
        _("A photo is decided"),
        "A photo is decided: by people who agree, a reviewer's ruling, one answer that agrees with the machine, an import, "
        "or the machine. What the machine decides and an audit drew is told when people have settled it.",
        {
            "photo": PHOTO,
            "by": one_of([*_BY.values(), "machine"]),
            "outcome": one_of(each for each in TruthKind.values if each != TruthKind.WITHDRAWN),
            "class": or_null(TEXT),
            "guideline": WHOLE,
            "version": or_null(WHOLE),
            "certificate": or_null(WHOLE),
            "confidence": or_null(NUMBER),
        },
        {"truth_groundtruth": _by_people, "frontier_automaticdecision": _by_machine},
    ),
    Kind(
        "photo.reopened",
        1,
        _("A photo is open again"),
        "What had been decided of a photo stands no more: an answer or ruling was taken back, or the machine was overruled. "
        "Of a suspended certificate only `certificate.suspended` tells.",
        {"photo": PHOTO, "because": one_of(["withdrawn", "overruled"])},
        {"truth_groundtruth": _withdrawn, "frontier_decisionoverruled": _overruled},
    ),
]
