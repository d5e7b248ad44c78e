"""A person's own newest answers, and what became of those about which nobody is asked any more.

Beside an answer stands nothing but itself while its photo waits for anything, where it agreed with the others, and always
where the photo is or was gold: these three look alike, so nobody can tell one from another. Only what a reviewer ruled on,
and what the others agreed against, is told. Answers of sweeps are not among them: a gold photo in a grid is answered by a
mark, and would be missing here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_names, class_resolution, current_guideline
from labeling.people.models import User
from labeling.truth.consensus import count_as
from labeling.truth.models import (
    Annotation,
    AnswerKind,
    Dispute,
    Draw,
    Gold,
    GroundTruth,
    Origin,
    Outcome,
    Ruling,
)
from labeling.truth.selectors import reason_text

SHOWN = 50


@dataclass(frozen=True, slots=True)
class SettledAs:
    """What a settled photo was called in the end: by a reviewer's ruling, or without one by the others.

    ``same``: as the person said.
    """

    label: str
    ruling: Ruling | None
    same: bool


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """An answer in its person's words; ``settled_as`` is ``None`` where nothing may be told, or nothing is to tell."""

    annotation: Annotation
    label: str
    reason: str
    settled_as: SettledAs | None

    @property
    def overruled(self) -> bool:
        return self.settled_as is not None and not self.settled_as.same


def own_answers(project: Project, person: User) -> list[OwnAnswer]:
    """The newest ones, one photo at a time, that were not taken back."""
    newest = list(
        Annotation.objects.one_at_a_time()
        .filter(project=project, labeler=person)
        .select_related("item__image", "label_class")
        .order_by("-id")[:SHOWN]
    )
    guideline = current_guideline(project)
    names, resolution = class_names(guideline), class_resolution(project, guideline)
    settled = _settled(project, {each.item_id for each in newest})

    def settled_as(answer: Annotation) -> SettledAs | None:
        truth = settled.get(answer.item_id)
        if (
            truth is None or answer.draw == Draw.GOLD
        ):  # asked as gold beside one, on a sheet: the photo need not be gold
            return None
        if truth.label_class_id is None:
            same, label = answer.kind == truth.kind, _settled_as(truth)
        else:
            same = count_as([answer], truth.label_class_id, resolution)
            label = names.get(truth.label_class_id, "?")
        return None if same and truth.ruling is None else SettledAs(label, truth.ruling, same)

    return [
        OwnAnswer(
            each,
            _said(each, names),
            reason_text(each.kind, each.reason) if each.reason else "",
            settled_as(each),
        )
        for each in newest
    ]


def _settled(project: Project, items: Iterable[int]) -> dict[int, GroundTruth]:
    """Of these photos (ids) what people settled, of those about which nothing is open. Gold, also former, never is told.

    Nor is a ruling that its reviewer may still take back: the photo would be asked again.
    """
    among = list(items)
    final = timezone.now() - timedelta(seconds=project.undo_seconds)
    truths = (
        GroundTruth.objects.strict().filter(project=project, item_id__in=among).exclude(origin=Origin.GOLD)
    )
    truths = truths.exclude(ruling__isnull=False, created_at__gt=final)
    waits = set(Dispute.objects.open().filter(item_id__in=among).values_list("item_id", flat=True))
    known = set(Gold.objects.filter(item_id__in=among).values_list("item_id", flat=True))
    return {
        truth.item_id: truth
        for truth in truths.select_related("ruling__reviewer")
        if truth.item_id not in waits | known
    }


def _said(answer: Annotation, names: dict[int, str]) -> str:
    if answer.label_class_id is None:
        return str(AnswerKind(answer.kind).label)
    return names.get(answer.label_class_id, "?")


def _settled_as(truth: GroundTruth) -> str:
    kept_out = truth.kind == Outcome.HOLD
    return _("Ambiguous: keep out of training") if kept_out else str(AnswerKind(truth.kind).label)
