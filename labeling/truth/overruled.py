"""Which of a labeler's own answers a reviewer overruled, and what the reviewer wrote to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_names, class_resolution, current_guideline
from labeling.people.models import User
from labeling.truth.models import Annotation, Dispute, Draw, Outcome, Ruling


@dataclass(frozen=True)
class Overruled:
    """A ruling that says something else than an answer: what, in today's words, and the note to the labeler, if any.

    Who ruled is not told, nor the comment, which is for reviewers.
    """

    ruled_as: str
    note: str


def overruled(project: Project, labeler: User, annotation_ids: Iterable[int]) -> dict[int, Overruled]:
    """By answer, those of ``labeler``'s that a standing ruling overruled, of the answers named.

    Only once that can unblind nobody: the undo time is over, and no dispute on the photo is open. A photo that was sent
    back is asked again, so that says nothing here.
    """
    answers = {
        each.pk: each
        for each in Annotation.objects.standing()
        .filter(project=project, labeler=labeler, pk__in=list(annotation_ids))
        .exclude(draw=Draw.GOLD)
    }
    rulings = (
        Ruling.objects.standing()
        .filter(
            ~Exists(Dispute.objects.open().filter(item=OuterRef("dispute__item"))),
            dispute__item__in=[each.item_id for each in answers.values()],
            reviewer__isnull=False,
            created_at__lte=timezone.now() - timedelta(seconds=project.undo_seconds),
        )
        .select_related("dispute")
        .order_by("id")
    )
    # The newest ruling on the photo is the one that counts.
    newest = {each.dispute.item_id: each for each in rulings}
    resolution = class_resolution(project)
    names = class_names(current_guideline(project))
    found: dict[int, Overruled] = {}
    for answer in answers.values():
        ruling = newest.get(answer.item_id)
        if ruling is None or ruling.outcome == Outcome.SEND_BACK or ruling.dispute.round < answer.round:
            continue
        said, ruled = (
            resolution.get(each.label_class_id or 0) or each.label_class_id for each in (answer, ruling)
        )
        if (answer.kind, said) != (ruling.outcome, ruled):
            ruled_as = names.get(ruled, "?") if ruled else str(Outcome(ruling.outcome).label)
            found[answer.pk] = Overruled(ruled_as, ruling.note)
    return found
