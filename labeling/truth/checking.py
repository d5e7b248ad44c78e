"""Who falls under the bar of gold: known photos that are asked blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import Guideline, Project
from labeling.catalog.services import log_activity
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.assisting import withdraw_assisted
from labeling.truth.current import current_round, is_disputed, is_settled, open_dispute, truth_in_force
from labeling.truth.gold import gold_record
from labeling.truth.models import Annotation, DisputeCause, GroundTruth, Pause, SweepCheck
from labeling.truth.settling import lock_photos, raise_dispute


@dataclass(frozen=True)
class Checked:
    """A gold photo of a grid, and what the labeler did with it: marked or not, and as which class if they named one."""

    item_id: int
    known_id: int
    found: bool
    named_id: int | None = None


@transaction.atomic
def record_checks(
    *, project: Project, labeler: User, sweep: UUID, shown_as_id: int, checked: Sequence[Checked]
) -> None:
    """Append how a labeler did on the gold photos of one grid. Too many misses pause them, like any gold answers."""
    guideline = catalog.current_guideline(project)
    SweepCheck.objects.bulk_create(
        [
            SweepCheck(
                project=project,
                labeler=labeler,
                item_id=each.item_id,
                sweep=sweep,
                shown_as_id=shown_as_id,
                known_id=each.known_id,
                found=each.found,
                right=each.found and each.named_id in {None, each.known_id},
                guideline=guideline,
            )
            for each in checked
        ],
        ignore_conflicts=True,
    )
    check_gold(project, labeler, guideline)


@transaction.atomic
def lift_pause(*, project: Project, labeler: User, by: User) -> Pause:
    """Let a paused labeler go on. The gold record starts afresh.

    Raises :class:`Refused` ``not_paused`` (409).
    """
    pause = (
        Pause.objects.select_for_update()
        .filter(project=project, labeler=labeler, lifted_at__isnull=True)
        .first()
    )
    if pause is None:
        raise Refused("not_paused", _("This person is not paused."))
    pause.lifted_at = timezone.now()
    pause.lifted_by = by
    pause.save(update_fields=["lifted_at", "lifted_by"])
    log_activity(project=project, kind="labeler_resumed", actor=by, labeler=labeler.username)
    return pause


def check_gold(project: Project, labeler: User, guideline: Guideline) -> None:
    """Pause a labeler whose last gold answers are under the bar; their unconfirmed answers go to review.

    What only the machine confirmed waits for its second person, who settles it or brings it to review.
    """
    record = gold_record(project, labeler, guideline)
    if len(record) < project.gold_window or sum(record) / len(record) >= project.gold_bar:
        return
    pause, created = Pause.objects.get_or_create(
        project=project,
        labeler=labeler,
        lifted_at=None,
        defaults={"correct": sum(record), "asked": len(record), "bar": project.gold_bar},
    )
    if not created:
        return
    mine = Annotation.objects.for_agreement().filter(project=project, labeler=labeler)
    unconfirmed = list(mine.exclude(is_settled()).exclude(is_disputed()).order_by("item_id"))
    by_machine = mine.filter(item__in=GroundTruth.objects.assisted().filter(project=project).values("item"))
    assisted = list(by_machine.values_list("item_id", flat=True))
    # All at once, so that two pauses at the same moment cannot lock each other.
    lock_photos([*(answer.item_id for answer in unconfirmed), *assisted])
    to_review = 0
    for answer in unconfirmed:
        item_id = answer.item_id
        asked_anew = answer.round != current_round(item_id)  # that answer counts for nothing any more
        if not asked_anew and truth_in_force(item_id) is None and open_dispute(item_id) is None:
            raise_dispute(project, item_id, answer.round, DisputeCause.PAUSED)
            to_review += 1
    asked_again = withdraw_assisted(project=project, item_ids=assisted)
    more: dict[str, Any] = {"asked_again": asked_again} if asked_again else {}
    log_activity(
        project=project,
        kind="labeler_paused",
        labeler=labeler.username,
        correct=pause.correct,
        asked=pause.asked,
        to_review=to_review,
        **more,
    )
