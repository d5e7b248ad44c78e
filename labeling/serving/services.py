"""Who answers in the shadow, and what came of it. Each service is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.services import log_activity
from labeling.learning import selectors
from labeling.learning.models import ModelVersion
from labeling.learning.on_disk import is_whole
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.serving.models import BINS, Shadow, ShadowComparison


@transaction.atomic
def set_shadow(*, project: Project, by: User, number: int | None) -> ModelVersion | None:
    """From now on this version answers in the shadow; with ``None``, none does.

    Raises :class:`Refused` ``no_version``, ``is_champion`` or ``damaged`` (409).
    """
    if number is None:
        ended = Shadow.objects.filter(project=project).delete()[0]
        if ended:
            log_activity(project=project, kind="shadow_ended", actor=by)
        return None
    version = ModelVersion.objects.filter(project=project, number=number).first()
    if version is None:
        raise Refused("no_version", _("There is no version %(number)d in this project.") % {"number": number})
    if selectors.champion(project) == version:
        raise Refused(
            "is_champion",
            _("Version %(number)d is the champion: it answers already. Name another one.")
            % {"number": number},
        )
    if not is_whole(version):
        raise Refused(
            "damaged",
            _(
                "The files of version %(number)d are missing or damaged, so it cannot answer. Name another one."
            )
            % {"number": number},
        )
    Shadow.objects.update_or_create(project=project, defaults={"model_version": version, "by": by})
    log_activity(project=project, kind="shadow_began", actor=by, number=number)
    return version


@dataclass(frozen=True)
class Answers:
    """What a version said: ``classes`` (k,) ids, ``probabilities`` (n, k)."""

    version: int
    classes: Sequence[int]
    probabilities: Sequence[Sequence[float]]

    def said(self) -> list[int]:
        """(n,) the most probable class."""
        return [self.classes[max(range(len(row)), key=row.__getitem__)] for row in self.probabilities]


@transaction.atomic
def record_shadow(*, champion: Answers, challenger: Answers) -> None:
    """Add what two versions said of the same photos, in the same order, to their comparison."""
    pair: dict[str, Any] = {"champion_id": champion.version, "challenger_id": challenger.version}
    ShadowComparison.objects.get_or_create(**pair)
    kept = ShadowComparison.objects.select_for_update().get(**pair)
    bins = list(kept.apart) or [0] * BINS
    for one, other in zip(champion.said(), challenger.said(), strict=True):
        row = kept.pairs.setdefault(str(one), {})
        row[str(other)] = row.get(str(other), 0) + 1
        kept.photos += 1
        kept.agreed += one == other
    for distance in distances(champion, challenger):
        bins[min(int(distance * BINS), BINS - 1)] += 1
    kept.apart = bins
    kept.save()


def distances(one: Answers, other: Answers) -> list[float]:
    """(n,) total variation distance of the probabilities, in [0, 1]; a class that one does not know has none there."""
    classes = {*one.classes, *other.classes}
    found = []
    for mine, theirs in zip(one.probabilities, other.probabilities, strict=True):
        a, b = dict(zip(one.classes, mine, strict=True)), dict(zip(other.classes, theirs, strict=True))
        found.append(sum(abs(a.get(each, 0.0) - b.get(each, 0.0)) for each in classes) / 2)
    return found
