"""What is known of the challenger in the shadow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.learning import selectors as learning
from labeling.learning.models import ModelVersion
from labeling.serving.models import BINS, Shadow, ShadowComparison
from labeling.truth.estimates import Proportion

#: Versions that may be chosen on the page, the newest; by the API any.
OFFERED = 20
#: What two versions differ in most often.
MOST_PAIRS = 5


@dataclass(frozen=True)
class Difference:
    """``photos`` of which the champion said one class and the challenger another, by their names."""

    champion: str
    challenger: str
    photos: int


@dataclass(frozen=True)
class Compared:
    """A challenger beside the champion of today. ``far``: photos of which the probabilities are half apart, or more."""

    number: int
    agreed: Proportion
    far: int
    differences: Sequence[Difference]


@dataclass(frozen=True)
class ShadowPanel:
    """``answers``: the version in the shadow, if any; ``offered``: numbers of those that could be."""

    champion: ModelVersion | None
    answers: ModelVersion | None
    offered: Sequence[int]
    compared: Sequence[Compared]


def shadow_of(project: Project) -> ModelVersion | None:
    found = Shadow.objects.filter(project=project).select_related("model_version").first()
    return found.model_version if found else None


def shadow_panel(project: Project) -> ShadowPanel:
    champion, answers = learning.champion(project), shadow_of(project)
    if champion is None:
        return ShadowPanel(None, answers, [], [])
    others = ModelVersion.objects.filter(project=project).exclude(pk=champion.pk)
    offered = list(others.values_list("number", flat=True)[:OFFERED])
    if answers is not None and answers.number not in offered and answers != champion:
        offered.append(answers.number)
    kept = ShadowComparison.objects.filter(champion=champion).select_related("challenger")
    names = _class_names(project)
    return ShadowPanel(
        champion, answers, offered, [_compared(each, names) for each in kept.order_by("-last_at")]
    )


def _class_names(project: Project) -> dict[str, str]:
    """Class id, as JSON has it -> its name today, or its key."""
    names = class_names_by_key(current_guideline(project))
    keys = LabelClass.objects.filter(project=project).values_list("pk", "key")
    return {str(pk): names.get(key, key) for pk, key in keys}


def _compared(kept: ShadowComparison, names: dict[str, str]) -> Compared:
    differences = [
        Difference(names.get(one, one), names.get(other, other), photos)
        for one, row in kept.pairs.items()
        for other, photos in row.items()
        if one != other
    ]
    differences.sort(key=lambda each: (-each.photos, each.champion, each.challenger))
    return Compared(
        kept.challenger.number,
        Proportion(kept.agreed, kept.photos),
        sum(kept.apart[BINS // 2 :]),
        differences[:MOST_PAIRS],
    )
