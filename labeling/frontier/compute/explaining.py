"""Why the machine decided a photo as it did: settled photos that lie nearest, and what in it mattered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from inference import explain
from inference.backbones import Backbone, UnknownBackbone, WeightsError
from inference.embed import Forward, cpu_forward
from inference.photo import DecodeError
from inference.photo.pixels import decode_pixels
from labeling.catalog.storage import original
from labeling.frontier.explanations import keep
from labeling.frontier.models import AutomaticDecision
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute import artifact
from labeling.learning.compute.stores import load_backbone, networks_folder, vectors_of
from labeling.learning.models import Part
from labeling.truth.models import GroundTruth

#: Settled photos shown, and looked at: of a large project the newest.
SHOWN, NEWEST = 6, 5000

Pixels = npt.NDArray[np.uint8]


def explain_decision(progress: Progress) -> dict[str, Any]:
    """Find and keep the explanation of the decision ``args["decision"]``. Returns {decision, nearest, heat}.

    Raises :class:`JobError` where the model's files or the photo's vector are gone.
    """
    decision = (
        AutomaticDecision.objects.select_related("item__image", "model_version", "project")
        .filter(pk=progress.job.args["decision"], project_id=progress.job.project_id or 0)
        .first()
    )
    if decision is None:
        raise JobError(_("The decision is gone."))
    head = artifact.load(decision.model_version)
    progress.report(0, 1, gettext_noop("Looking for settled photos alike"))
    nearest = _nearest(decision)
    progress.report(0, 1, gettext_noop("Hiding one part after the other"))
    found = _heat(decision, head, progress)
    explanation = keep(
        decision=decision,
        nearest=nearest,
        heat=explain.overlay(found) if found else None,
        figures={"before": found.before, "lowest": found.lowest, "peak": list(found.peak)} if found else {},
    )
    return {"decision": decision.pk, "nearest": len(explanation.nearest), "heat": found is not None}


def _nearest(decision: AutomaticDecision) -> list[dict[str, Any]]:
    """Settled photos (gold is no company's to see) by their similarity in the space of the version's backbones."""
    store = vectors_of(decision.model_version)
    here = decision.item.image.sha256
    if store.missing([here]):
        raise JobError(
            _("This photo has no vector of that backbone any more. Embed the pool again, then ask again.")
        )
    settled = list(
        GroundTruth.objects.trainable()
        .filter(project=decision.project_id)
        .exclude(item=decision.item_id)
        .order_by("-id")
        .values_list("pk", "item", "label_class", "item__image__sha256")[:NEWEST]
    )
    missing = set(store.missing([sha256 for *_rest, sha256 in settled]))
    settled = [each for each in settled if each[3] not in missing]
    if not settled:
        return []
    order, similarity = explain.nearest(store.rows([here])[0], store.rows([each[3] for each in settled]))
    return [
        {
            "item": settled[at][1],
            "truth": settled[at][0],
            "class": settled[at][2],
            "alike": round(float(each), 4),
        }
        for at, each in zip(order[:SHOWN].tolist(), similarity, strict=False)
    ]


def _heat(decision: AutomaticDecision, head: Any, progress: Progress) -> explain.Heat | None:
    """``None`` where the photo's file is gone: its scores and its neighbours still say something."""
    backbones = [_backbone(part) for part in decision.model_version.parts]
    try:
        data = original(decision.item.image)
        photo = decode_pixels(
            data,
            max_pixels=settings.INTAKE_MAX_PIXELS,
            min_side=max(each.preprocessing.min_side for each in backbones),
            levels=backbones[0].preprocessing.levels,
        )
    except (FileNotFoundError, DecodeError):
        return None
    column = decision.model_version.classes.index(decision.label_class_id)
    forwards = [(each.preprocessing.pixels, _forward(each.name)) for each in backbones]

    # Where several are fused, all of them look at what is left of the photo: the map is of what they say together.
    def probability(photos: Sequence[Pixels]) -> npt.NDArray[np.floating[Any]]:
        rows = [forward(np.concatenate([squares(each) for each in photos])) for squares, forward in forwards]
        return np.asarray(head.predict_proba(np.concatenate(rows, axis=1))[:, column])

    def report(done: int, total: int) -> None:
        progress.report(done, total, gettext_noop("Hiding one part after the other"))

    return explain.occlusion(photo, probability, on_progress=report)


def _backbone(part: Part) -> Backbone:
    try:
        backbone = load_backbone(part.backbone)
    except (UnknownBackbone, WeightsError) as error:
        raise JobError(
            _("The backbone of this version cannot be loaded: %(why)s") % {"why": error}
        ) from error
    if backbone.content_hash != part.backbone_hash:
        raise JobError(
            _("The backbone has changed since this version was trained, so it cannot be asked again.")
        )
    return backbone


@lru_cache(maxsize=4)
def _forward(name: str) -> Callable[[Pixels], npt.NDArray[np.float32]]:
    """The network on a CPU; exporting and loading one takes seconds."""
    forward: Forward = cpu_forward(load_backbone(name), networks_folder(), threads=2)
    return forward
