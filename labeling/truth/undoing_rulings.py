"""A reviewer takes a ruling back while it is fresh: what was in force before is again, and the photo is in dispute anew.

Nothing is overwritten: the undo is a row, the withdrawal of the ground truth is one, and the new dispute is one. It is the
window that labelers have for their answers. Pages let nobody do so who has read since who answered; so the ruling that
follows is as blind as the first would have been, and counts as the first word on the photo (``first_word``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import Project
from labeling.catalog.services import log_activity
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.current import (
    current_round,
    newest_truth,
    open_dispute,
    standing_answers,
    truth_in_force,
)
from labeling.truth.models import (
    Dispute,
    GroundTruth,
    Origin,
    Outcome,
    Ruling,
    RulingRetraction,
    TruthKind,
)
from labeling.truth.ruling_several import NotDone, chosen, not_done
from labeling.truth.settling import lock_photo, raise_dispute, withdraw_truth


@transaction.atomic
def undo_ruling(*, project: Project, dispute_id: UUID, reviewer: User) -> Dispute:
    """Take one's own ruling back; return the dispute that the photo is in now. A second call changes nothing.

    Raises :class:`Refused` ``not_found`` (404), ``undo_too_late`` or ``already_ruled`` (409).
    """
    ruling = (
        Ruling.objects.filter(dispute__project=project, dispute_id=dispute_id, reviewer=reviewer)
        .select_related("dispute")
        .first()
    )
    if ruling is None:
        raise Refused("not_found", _("There is no ruling of yours on this photo."), status=404)
    item_id = ruling.dispute.item_id
    lock_photo(item_id)
    again = open_dispute(item_id)
    if RulingRetraction.objects.filter(ruling=ruling).exists():
        if again is None:
            raise _ruled_since()
        return again
    if timezone.now() > ruling_undo_until(project, ruling):
        raise Refused("undo_too_late", _too_late(project))
    if Ruling.objects.filter(dispute__item_id=item_id, pk__gt=ruling.pk).exists():
        raise _ruled_since()
    RulingRetraction.objects.create(ruling=ruling, by=reviewer)
    _as_before(project, ruling)
    log_activity(
        project=project, kind="ruling_undone", actor=reviewer, item=item_id, dispute=str(ruling.dispute_id)
    )
    if truth_in_force(item_id) is None:
        events.reopened.send(
            sender=RulingRetraction, project=project, item_id=item_id, round=current_round(item_id)
        )
    return again or raise_dispute(
        project, item_id, current_round(item_id), ruling.dispute.cause, note=ruling.dispute.note
    )


def undo_rulings(
    *, project: Project, dispute_ids: Iterable[UUID], reviewer: User
) -> tuple[list[Dispute], list[NotDone]]:
    """Take several back, a transaction each; return the disputes that their photos are in now, and what was not undone.

    Raises :class:`Refused` ``invalid`` (422) where none is named, or too many.
    """
    back: list[Dispute] = []
    left: list[NotDone] = []
    for dispute_id in chosen(dispute_ids):
        try:
            back.append(undo_ruling(project=project, dispute_id=dispute_id, reviewer=reviewer))
        except Refused as refused:
            left.append(not_done(project, dispute_id, refused))
    return back, left


@transaction.atomic
def take_correction_back(*, project: Project, ruling: Ruling, by: User) -> None:
    """Put in force again what a correction (:func:`~labeling.truth.correcting.correct`) superseded, however long ago.

    Unlike :func:`undo_ruling` it asks no reviewer: nobody doubts what is restored. A second call changes nothing. Raises
    :class:`Refused` ``already_ruled``, ``in_review`` or, where people were asked again, ``already_answered`` (409).
    """
    item_id = ruling.dispute.item_id
    lock_photo(item_id)
    if RulingRetraction.objects.filter(ruling=ruling).exists():
        return
    made = newest_truth(item_id)
    if made is None or (made.ruling_id != ruling.pk and not _withdrawn_by(ruling, made)):
        raise _ruled_since()
    if open_dispute(item_id) is not None:
        raise Refused("in_review", _("This photo is before reviewers now. Rule on it there."))
    if standing_answers(item_id, current_round(item_id)) and ruling.outcome == Outcome.SEND_BACK:
        raise Refused(
            "already_answered", _("People have answered this photo since, so it goes on from there.")
        )
    RulingRetraction.objects.create(ruling=ruling, by=by)
    _as_before(project, ruling)
    log_activity(
        project=project, kind="ruling_undone", actor=by, item=item_id, dispute=str(ruling.dispute_id)
    )
    events.settled.send(sender=RulingRetraction, project=project, item_id=item_id)


def ruling_undo_until(project: Project, ruling: Ruling) -> datetime:
    return ruling.created_at + timedelta(seconds=project.undo_seconds)


def _as_before(project: Project, ruling: Ruling) -> None:
    """Withdraw what the ruling settled, and put in force again what it had superseded or withdrawn, if anything."""
    made = newest_truth(ruling.dispute.item_id)
    if made is None or (made.ruling_id != ruling.pk and not _withdrawn_by(ruling, made)):
        return
    before, end = made.supersedes, made
    if made.kind != TruthKind.WITHDRAWN:
        end = withdraw_truth(
            project=project,
            item_id=made.item_id,
            guideline=catalog.current_guideline(project),
            origin=Origin.UNDONE,
        )
    if before is not None and before.kind != TruthKind.WITHDRAWN:
        GroundTruth.objects.create(
            project=project,
            item_id=made.item_id,
            kind=before.kind,
            label_class_id=before.label_class_id,
            origin=before.origin,
            draw=before.draw,
            guideline_id=before.guideline_id,
            supersedes=end,
        )


def _withdrawn_by(ruling: Ruling, truth: GroundTruth) -> bool:
    """Whether this is the withdrawal that sending the photo back wrote."""
    return (
        ruling.outcome == Outcome.SEND_BACK
        and truth.origin == Origin.WITHDRAWAL
        and truth.created_at >= ruling.created_at
    )


def _too_late(project: Project) -> str:
    if not project.undo_seconds:
        return _("This project takes nothing back. Reopen the dispute instead.")
    return _("A ruling can be undone for %(seconds)d seconds. Reopen the dispute instead.") % {
        "seconds": project.undo_seconds
    }


def _ruled_since() -> Refused:
    return Refused("already_ruled", _("Somebody has ruled on this photo since, so that ruling stands."))
