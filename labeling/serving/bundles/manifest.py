"""What a bundle says of its model version: what its classes mean, how it did, where it is proven, what is not carried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from labeling.catalog.selectors import class_keys, schema_of
from labeling.frontier.models import Certificate
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.queue.models import Placement

#: In English, as is all that a bundle holds beside the project's own words: it is read by programs and by their authors.
NOT_CARRIED = (
    "A certificate speaks of the photos that it was drawn from, while their audit goes on. Nobody audits what is decided "
    "elsewhere: the thresholds here are those of the moment, not a promise about other photos.",
    "HEIC photos need the package pi-heif.",
    "Ground truths, photos and people's answers are not in a bundle. A data set takes them out.",
)


def manifest_of(version: ModelVersion, config: Mapping[str, Any]) -> dict[str, Any]:
    """JSON-ready. ``config``: what :func:`inference.bundle.parts.write_parts` told of the files."""
    project = version.project
    best = champion(project)
    told = version.manifest
    return {
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "project": project.slug,
        "name": project.name,
        "question": project.question,
        "version": version.number,
        "champion": best is not None and best.pk == version.pk,
        "guideline": version.snapshot.guideline.number,
        "classes": _classes(version),
        "ground_truths": len(version.snapshot.ground_truth_ids),
        "snapshot": version.snapshot.digest,
        "seed": told.get("seed"),
        "metrics": {
            name: version.metrics.get(name)
            for name in ("cross_validated", "audit")
            if version.metrics.get(name)
        },
        "calibration": {
            "what": "scores are probabilities: logits over a temperature fitted on held-out rows (Guo et al. 2017), "
            "which head.onnx holds",
            **{name: told[name] for name in ("temperature", "prior", "parts") if name in told},
        },
        "margin": "of a photo: its highest score minus the second; what bands and certificates are told in",
        "bands": _bands(version),
        "certificates": _certificates(version),
        "networks": config["networks"],
        "head": config["head"],
        "decoder": config["decoder"],
        "libraries": config["libraries"],
        "trained_with": {"python": told.get("python"), **told.get("libraries", {})},
        "not_carried": list(NOT_CARRIED),
    }


def _classes(version: ModelVersion) -> list[dict[str, Any]]:
    """As the guideline said under which it was trained, in the order of the scores."""
    said = {row.label_class_id: row for row in schema_of(version.snapshot.guideline_id)}
    return [
        {
            "key": said[pk].label_class.key,
            "name": said[pk].name,
            "criteria": said[pk].criteria,
            "checklist": said[pk].checklist,
        }
        for pk in version.classes
    ]


def _bands(version: ModelVersion) -> list[dict[str, Any]]:
    """Where each predicted class's bands begin: lowest margins, outermost first. None of a version that ranks nothing."""
    keys = class_keys(version.project)
    current = Placement.objects.filter(
        ranking__project=version.project_id, ranking__current=True, ranking__model_version=version
    )
    return [
        {"predicted": keys[each.predicted_id], "ladder": keys[each.ladder_id], "lowest_margins": each.lows}
        for each in current.order_by("predicted_id")
    ]


def _certificates(version: ModelVersion) -> list[dict[str, Any]]:
    keys = class_keys(version.project)
    in_force = Certificate.objects.in_force().filter(model_version=version).select_related("guideline")
    return [
        {
            "predicted": keys[each.label_class_id],
            "lowest_margin": each.threshold,
            "precision": each.precision,
            "delta": each.delta,
            "labels": each.n,
            "errors": each.errors,
            "bound": each.bound,
            "coverage": each.coverage,
            "guideline": each.guideline.number,
            "issued_at": each.created_at.isoformat(timespec="seconds"),
        }
        for each in in_force.order_by("label_class_id")
    ]
