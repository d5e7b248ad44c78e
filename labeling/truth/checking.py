"""Gold: known photos that are asked blind, and who falls under the bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import (
    Exemplar,
    Guideline,
    Item,
    Project,
)
from labeling.catalog.services import log_activity
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.assisting import withdraw_assisted
from labeling.truth.current import (
    current_round,
    is_disputed,
    is_settled,
    open_dispute,
    truth_in_force,
)
from labeling.truth.gold import gold_record
from labeling.truth.models import (
    Annotation,
    DisputeCause,
    Gold,
    GroundTruth,
    Origin,
    Pause,
    SweepCheck,
    TruthKind,
)
from labeling.truth.settling import active_class, append_truth, lock_photo, lock_photos, raise_dispute


@transaction.atomic
def add_gold(*, project: Project, item: Item, class_key: str, by: User) -> Gold:
    """Declare a photo's answer known, and ask it blind from now on.

    Raises :class:`Refused` ``unknown_class`` or, for an exemplar, ``invalid`` (422), ``already_answered`` (409) if people
    have begun on it, ``drawn`` (409) if it was drawn at random, or ``conflict`` (409) if it is or was gold with another
    class: people were checked against that one, so only a ruling changes it.
    """
    guideline = catalog.current_guideline(project)
    definition = active_class(guideline, class_key)
    if Exemplar.objects.filter(definition__guideline=guideline, image=item.image_id).exists():
        raise Refused.invalid(
            None, _("This photo is an exemplar, so everybody sees its class. Choose one that is not shown.")
        )
    lock_photo(item.pk)
    existing = Gold.objects.filter(item=item).first()
    if existing is not None:
        known = catalog.class_resolution(project, guideline).get(existing.label_class_id)
        if known != definition.label_class_id:
            raise Refused("conflict", _gold_with_another_class(existing))
        if existing.retired_at is not None:
            existing.retired_at = None
            existing.save(update_fields=["retired_at"])
        return existing
    if Annotation.objects.filter(item=item).exists():
        raise Refused(
            "already_answered",
            _("People have answered this photo, so it can no longer be asked blind. Choose a fresh one."),
        )
    events.gold_chosen.send(sender=Gold, project=project, item_ids=[item.pk])
    gold = Gold.objects.create(
        item=item, project=project, label_class_id=definition.label_class_id, added_by=by
    )
    append_truth(
        project=project,
        item_id=item.pk,
        kind=TruthKind.CLASS,
        label_class_id=definition.label_class_id,
        origin=Origin.GOLD,
        guideline_id=guideline.pk,
    )
    events.settled.send(sender=Gold, project=project, item_id=item.pk)
    return gold


def _gold_with_another_class(gold: Gold) -> str:
    known = gold.label_class.key
    if gold.retired_at is None:
        return _(
            "This photo is gold already, as %(class)s. Retire it, and send it to review if that is wrong."
        ) % {"class": known}
    return _(
        "This photo was gold as %(class)s, and stays settled so. Send it to review: the ruling takes that class's place."
    ) % {"class": known}


@transaction.atomic
def retire_gold(*, gold: Gold, by: User) -> Gold:
    """Stop asking this gold photo. Past answers to it keep counting for the people who gave them.

    It stays settled as what it was known to be; ``request_review`` is the way to another class.
    """
    if gold.retired_at is None:
        gold.retired_at = timezone.now()
        gold.save(update_fields=["retired_at"])
        log_activity(project=gold.project, kind="gold_retired", actor=by, item=gold.item_id)
    return gold


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
